use std::{
    convert::Infallible,
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::Request;
use seawall_core::BoxError;
use tower_layer::Layer;
use tower_service::Service;

use super::active::Shared;
use crate::{
    error_response::ErrorResponse,
    keys::UriKey,
    logging::Logging,
    retry::{HttpCallAdapter, MapBody},
    standard::{Client, Gateway, Standard, StandardLayer},
};

/// Service made by [`ConfiguredLayer`](super::ConfiguredLayer).
///
/// The client inside must be `Clone`: the instance that was polled ready makes the call, in the stack of the policy that is in
/// force for it by then, and a clone takes its place.
pub struct Configured<S, L = StandardLayer> {
    client: S,
    shared: Arc<Shared<L>>,
    /// Why the client was not ready, for a gateway to answer the next call with.
    failed: Option<BoxError>,
}

impl<S, L> Configured<S, L> {
    pub(super) const fn new(client: S, shared: Arc<Shared<L>>) -> Self {
        Self { client, shared, failed: None }
    }
}

impl<S: Clone, L> Configured<S, L> {
    /// The instance that was polled ready; the one that takes its place was not.
    fn take(&mut self) -> S {
        let next = self.client.clone();
        mem::replace(&mut self.client, next)
    }
}

type Stack<C, F, K, Side> = StandardLayer<C, HttpCallAdapter<F>, K, Side>;

impl<S, C, F, K, B> Service<Request<B>> for Configured<S, Stack<C, F, K, Client>>
where
    S: Service<Request<F::Body>> + Clone,
    S::Error: Into<BoxError>,
    C: Clone,
    F: MapBody<B> + Clone,
    K: UriKey,
    Standard<S, C, HttpCallAdapter<F>, K>: Service<Request<B>, Error = BoxError>,
{
    type Response = <Standard<S, C, HttpCallAdapter<F>, K> as Service<Request<B>>>::Response;
    type Error = BoxError;
    type Future = <Standard<S, C, HttpCallAdapter<F>, K> as Service<Request<B>>>::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The stack asks nothing else.
        self.client.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.take();
        let mut stack = self.shared.load().find(request.uri()).layer(client);
        stack.call(request)
    }
}

/// What stands around a client in a gateway.
type Answering<S, C, F, K> = Logging<ErrorResponse<Standard<S, C, HttpCallAdapter<F>, K>>>;

impl<S, C, F, K, B> Service<Request<B>> for Configured<S, Stack<C, F, K, Gateway>>
where
    S: Service<Request<F::Body>> + Clone,
    S::Error: Into<BoxError>,
    C: Clone,
    F: MapBody<B> + Clone,
    K: UriKey,
    Answering<S, C, F, K>: Service<Request<B>, Error = Infallible>,
{
    type Response = <Answering<S, C, F, K> as Service<Request<B>>>::Response;
    type Error = Infallible;
    type Future = <Answering<S, C, F, K> as Service<Request<B>>>::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.client.poll_ready(cx).map(|ready| {
            self.failed = ready.err().map(Into::into);
            Ok(())
        })
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (client, failed) = (self.take(), self.failed.take());
        let shared = self.shared.load();
        let stack = shared.find(request.uri());
        let mut service = match failed {
            None => stack.layer(client),
            Some(error) => stack.failing(client, &error),
        };
        service.call(request)
    }
}

impl<S: Clone, L> Clone for Configured<S, L> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), Arc::clone(&self.shared))
    }
}

impl<S: fmt::Debug, L> fmt::Debug for Configured<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configured").field("client", &self.client).finish_non_exhaustive()
    }
}
