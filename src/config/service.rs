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
    logging::Logging,
    retry::{HttpCallAdapter, MapBody},
    standard::{Client, Gateway, Standard, StandardLayer},
};

/// Service made by [`ConfiguredLayer`](super::ConfiguredLayer).
///
/// The inner client must be `Clone`. `call` selects the policy, moves the client that was polled
/// ready into that policy's stack, and replaces it with a clone.
pub struct Configured<S, L = StandardLayer> {
    client: S,
    shared: Arc<Shared<L>>,
    /// The error of `poll_ready`, which a gateway turns into the response of the next call.
    ready_error: Option<BoxError>,
}

impl<S, L> Configured<S, L> {
    pub(super) const fn new(client: S, shared: Arc<Shared<L>>) -> Self {
        Self { client, shared, ready_error: None }
    }
}

impl<S: Clone, L> Configured<S, L> {
    /// Takes the client that was polled ready, and replaces it with a clone, which was not.
    fn take_client(&mut self) -> S {
        let clone = self.client.clone();
        mem::replace(&mut self.client, clone)
    }
}

type Stack<C, F, Side> = StandardLayer<C, HttpCallAdapter<F>, Side>;

impl<S, C, F, B> Service<Request<B>> for Configured<S, Stack<C, F, Client>>
where
    S: Service<Request<F::Body>> + Clone,
    S::Error: Into<BoxError>,
    C: Clone,
    F: MapBody<B> + Clone,
    Standard<S, C, HttpCallAdapter<F>>: Service<Request<B>, Error = BoxError>,
{
    type Response = <Standard<S, C, HttpCallAdapter<F>> as Service<Request<B>>>::Response;
    type Error = BoxError;
    type Future = <Standard<S, C, HttpCallAdapter<F>> as Service<Request<B>>>::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // No layer of the stack has a readiness of its own.
        self.client.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.take_client();
        let mut stack = self.shared.load().find(request.uri()).layer(client);
        stack.call(request)
    }
}

/// The layers around a client in a gateway.
type GatewayStack<S, C, F> = Logging<ErrorResponse<Standard<S, C, HttpCallAdapter<F>>>>;

impl<S, C, F, B> Service<Request<B>> for Configured<S, Stack<C, F, Gateway>>
where
    S: Service<Request<F::Body>> + Clone,
    S::Error: Into<BoxError>,
    C: Clone,
    F: MapBody<B> + Clone,
    GatewayStack<S, C, F>: Service<Request<B>, Error = Infallible>,
{
    type Response = <GatewayStack<S, C, F> as Service<Request<B>>>::Response;
    type Error = Infallible;
    type Future = <GatewayStack<S, C, F> as Service<Request<B>>>::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.client.poll_ready(cx).map(|ready| {
            self.ready_error = ready.err().map(Into::into);
            Ok(())
        })
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (client, ready_error) = (self.take_client(), self.ready_error.take());
        let shared = self.shared.load();
        let stack = shared.find(request.uri());
        let mut service = match ready_error {
            None => stack.layer(client),
            Some(error) => stack.with_ready_error(client, &error),
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
