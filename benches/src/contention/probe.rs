//! Services with a known amount of shared state, which show the contention of a run.

use std::{
    hint::black_box,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tower::Service;

/// Padding that puts the counts of two `Arc`s on different cache lines.
///
/// The alignment covers the pair of lines that a processor fetches together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Padding;

/// A service that clones and drops `N` shared `Arc`s in each call.
#[derive(Clone, Debug)]
pub(super) struct ArcProbe<S, const N: usize> {
    pub(super) inner: S,
    pub(super) arcs: [Arc<Padding>; N],
}

pub(super) fn arcs<const N: usize>() -> [Arc<Padding>; N] {
    std::array::from_fn(|_| Arc::default())
}

impl<S: Service<Req>, const N: usize, Req> Service<Req> for ArcProbe<S, N> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> S::Future {
        drop(black_box(self.arcs.clone()));
        self.inner.call(request)
    }
}

/// A service that counts its calls under a shared lock.
#[derive(Clone, Debug)]
pub(super) struct MutexProbe<S> {
    pub(super) inner: S,
    pub(super) calls: Arc<Mutex<u64>>,
}

pub(super) fn counter() -> Arc<Mutex<u64>> {
    Arc::default()
}

impl<S: Service<Req>, Req> Service<Req> for MutexProbe<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> S::Future {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.inner.call(request)
    }
}
