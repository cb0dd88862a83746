//! The memory for request bodies that are kept for a retry, of all requests together.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, HttpBody};
use http::Request;
use pin_project_lite::pin_project;
use seawall::retry::{RetryLayer, RetryOverride};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

/// The unit of the semaphore, whose permits are limited to 32 bits per acquisition.
const UNIT_BYTES: u64 = 1_024;

/// The memory for kept request bodies.
///
/// # Clone
///
/// Clones share the memory.
#[derive(Clone, Debug)]
pub(super) struct KeptBodies(Arc<Semaphore>);

impl KeptBodies {
    pub(super) fn new(max_bytes: u64) -> Self {
        let units = usize::try_from(max_bytes / UNIT_BYTES).unwrap_or(usize::MAX);
        Self(Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))))
    }

    /// Reserves memory, or returns `None` if not enough is free.
    fn reserve(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).ok()?;
        Arc::clone(&self.0).try_acquire_many_owned(units).ok()
    }
}

/// Reserves memory for the body of each request until its response headers arrive. Without free
/// memory, the request body is not kept: it can be retried only if nothing of it was read.
///
/// # Clone
///
/// Clones share the settings and the memory.
#[derive(Clone, Debug)]
pub(super) struct KeptBodiesLayer(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    memory: KeptBodies,
    max_body_bytes: u64,
    /// The retry settings of a request whose body is not kept.
    without_body: RetryOverride,
}

impl KeptBodiesLayer {
    /// `retry` has the settings of the service, and keeps bodies up to `max_body_bytes`.
    pub(super) fn new(memory: KeptBodies, max_body_bytes: usize, retry: RetryLayer) -> Self {
        let without_body = RetryOverride::new(retry.max_replay_bytes(0));
        let max_body_bytes = max_body_bytes as u64;
        Self(Arc::new(Settings { memory, max_body_bytes, without_body }))
    }
}

impl Settings {
    /// Returns the memory that the retry layer may use for a body.
    fn needed_bytes(&self, body: &Body) -> u64 {
        let size = body.size_hint();
        // The retry layer does not keep a body that is known to exceed its limit.
        if body.is_end_stream() || size.lower() > self.max_body_bytes {
            return 0;
        }
        size.upper().unwrap_or(u64::MAX).min(self.max_body_bytes)
    }
}

impl<S> Layer<S> for KeptBodiesLayer {
    type Service = KeepBodies<S>;

    fn layer(&self, inner: S) -> KeepBodies<S> {
        KeepBodies { inner, settings: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(super) struct KeepBodies<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for KeepBodies<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let bytes = self.settings.needed_bytes(request.body());
        let is_overridden = request.extensions().get::<RetryOverride>().is_some();
        let mut reserved = None;
        if bytes > 0 && !is_overridden {
            reserved = self.settings.memory.reserve(bytes);
            if reserved.is_none() {
                request.extensions_mut().insert(self.settings.without_body.clone());
            }
        }
        ResponseFuture { inner: self.inner.call(request), reserved }
    }
}

pin_project! {
    /// A call that holds the memory for its request body.
    pub(super) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        reserved: Option<OwnedSemaphorePermit>,
    }
}

impl<F: Future> Future for ResponseFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        *this.reserved = None;
        Poll::Ready(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_reserved_until_drop() {
        let memory = KeptBodies::new(10 * UNIT_BYTES);
        let first = memory.reserve(6 * UNIT_BYTES);
        assert!(first.is_some());
        assert!(memory.reserve(5 * UNIT_BYTES).is_none());
        assert!(memory.reserve(4 * UNIT_BYTES).is_some());
        drop(first);
        assert!(memory.reserve(10 * UNIT_BYTES).is_some());
        assert!(memory.reserve(u64::MAX).is_none());
    }
}
