//! A service that is cheap to clone.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Service, ServiceExt, util::Oneshot};

/// Clones the inner service only to call it.
///
/// axum's routes and hyper-util's client clone their service several times for each request. With a
/// large stack of layers, each clone copies all layers and allocates memory.
///
/// # Clone
///
/// Clones share the inner service.
#[derive(Debug)]
pub(crate) struct CloneOnCall<S>(Arc<S>);

impl<S> CloneOnCall<S> {
    pub(crate) fn new(service: S) -> Self {
        Self(Arc::new(service))
    }
}

impl<S> Clone for CloneOnCall<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, R> Service<R> for CloneOnCall<S>
where
    S: Service<R> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, R>;

    // The future waits until the inner service is ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        S::clone(&self.0).oneshot(request)
    }
}
