//! A service that is cheap to clone, and whose type is erased.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use tower::{Service, ServiceExt};

/// Clones the inner service only to call it.
///
/// `tower::util::BoxCloneSyncService` allocates each clone, and clones when it is cloned itself.
///
/// # Clone
///
/// Clones share the inner service.
pub(crate) struct SharedService<R, T, E>(Arc<dyn CallClone<R, T, E>>);

trait CallClone<R, T, E>: Send + Sync {
    fn call_clone(&self, request: R) -> BoxFuture<'static, Result<T, E>>;
}

impl<S, R> CallClone<R, S::Response, S::Error> for S
where
    S: Service<R, Response: Send, Error: Send, Future: Send> + Clone + Send + Sync + 'static,
    R: Send + 'static,
{
    fn call_clone(&self, request: R) -> BoxFuture<'static, Result<S::Response, S::Error>> {
        let mut service = self.clone();
        // Most services are ready at once. Then the future has neither the service nor the request.
        match service.ready().now_or_never() {
            Some(Ok(service)) => Box::pin(service.call(request)),
            Some(Err(error)) => Box::pin(ready(Err(error))),
            None => Box::pin(service.oneshot(request)),
        }
    }
}

impl<R, T, E> SharedService<R, T, E> {
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<R, Response = T, Error = E, Future: Send> + Clone + Send + Sync + 'static,
        R: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        Self(Arc::new(service))
    }
}

impl<R, T, E> SharedService<R, T, E> {
    /// Calls a clone of the inner service.
    pub(crate) fn call_shared(&self, request: R) -> BoxFuture<'static, Result<T, E>> {
        self.0.call_clone(request)
    }
}

impl<R, T, E> Clone for SharedService<R, T, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R, T, E> fmt::Debug for SharedService<R, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedService").finish_non_exhaustive()
    }
}

impl<R, T, E> Service<R> for SharedService<R, T, E> {
    type Response = T;
    type Error = E;
    type Future = BoxFuture<'static, Result<T, E>>;

    // The future waits until the inner service is ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.call_shared(request)
    }
}
