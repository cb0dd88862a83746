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

use super::active::SharedConfig;
use crate::{
    error_response::ErrorResponse,
    logging::Logging,
    retry::{HttpCallAdapter, MapBody},
    standard::{Client, Gateway, Standard, StandardLayer},
};

/// A service that applies the policy of each request's URL. Created by
/// [`ConfiguredLayer`](super::ConfiguredLayer).
///
/// The inner client must be `Clone`. `call` selects the policy, moves the client that was polled
/// ready into the stack of that policy, and leaves a clone.
pub struct Configured<S, L = StandardLayer> {
    client: S,
    config: Arc<SharedConfig<L>>,
    /// The error of `poll_ready`, which a gateway turns into the response of the next call.
    ready_error: Option<BoxError>,
}

impl<S, L> Configured<S, L> {
    pub(super) const fn new(client: S, config: Arc<SharedConfig<L>>) -> Self {
        Self { client, config, ready_error: None }
    }
}

impl<S: Clone, L> Configured<S, L> {
    /// Takes the client that was polled ready. Leaves a clone, which must be polled again.
    fn take_client(&mut self) -> S {
        let clone = self.client.clone();
        mem::replace(&mut self.client, clone)
    }
}

type StackLayer<C, F, Side> = StandardLayer<C, HttpCallAdapter<F>, Side>;

impl<S, C, F, B> Service<Request<B>> for Configured<S, StackLayer<C, F, Client>>
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
        // The layers of the stack are always ready, so only the client is polled.
        self.client.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.take_client();
        let mut stack = self.config.load().stack_for(request.uri()).layer(client);
        stack.call(request)
    }
}

/// The layers around a client in a gateway.
type GatewayStack<S, C, F> = Logging<ErrorResponse<Standard<S, C, HttpCallAdapter<F>>>>;

impl<S, C, F, B> Service<Request<B>> for Configured<S, StackLayer<C, F, Gateway>>
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
        let active = self.config.load();
        let stack = active.stack_for(request.uri());
        let mut service = match ready_error {
            None => stack.layer(client),
            Some(error) => stack.layer_with_ready_error(client, &error),
        };
        service.call(request)
    }
}

impl<S: Clone, L> Clone for Configured<S, L> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), Arc::clone(&self.config))
    }
}

impl<S: fmt::Debug, L> fmt::Debug for Configured<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configured").field("client", &self.client).finish_non_exhaustive()
    }
}
