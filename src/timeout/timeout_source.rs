use std::{any::type_name, fmt, time::Duration};

use http::Request;

use crate::time_limit::BodyWait;

/// Returns the time limit of a call. Implemented by [`FixedTimeout`] and [`TimeoutFn`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` sets no time limit for requests of type `{Req}`",
    note = "`TimeoutLayer::from_fn` takes a closure that returns `Option<Duration>` and whose argument has a type \
            annotation: `|request: &http::Request<_>| Some(limit)`"
)]
pub trait TimeoutSource<Req> {
    /// Returns the limit of a call, or `None` for no limit.
    fn limit(&self, request: &Req) -> Option<Duration>;

    /// Returns the waits for the request body, if the limit excludes them.
    #[doc(hidden)]
    fn body_wait(&self, _request: &Req) -> Option<BodyWait> {
        None
    }
}

/// A time limit that is the same for every call.
#[derive(Clone, Copy, Debug)]
pub struct FixedTimeout(pub(super) Duration);

impl<Req> TimeoutSource<Req> for FixedTimeout {
    #[inline]
    fn limit(&self, _request: &Req) -> Option<Duration> {
        Some(self.0)
    }
}

/// A closure that returns the limit of each call. See
/// [`TimeoutLayer::from_fn`](super::TimeoutLayer::from_fn).
#[derive(Clone, Copy)]
pub struct TimeoutFn<F>(pub(super) F);

impl<F, Req> TimeoutSource<Req> for TimeoutFn<F>
where
    F: Fn(&Req) -> Option<Duration>,
{
    #[inline]
    fn limit(&self, request: &Req) -> Option<Duration> {
        (self.0)(request)
    }
}

/// A time limit that excludes the waits for the caller's request body. See
/// [`TimeoutLayer::pause_while_body_pending`](super::TimeoutLayer::pause_while_body_pending).
#[derive(Clone, Copy, Debug)]
pub struct PauseWhileBodyPending<L>(pub(super) L);

impl<L, B> TimeoutSource<Request<B>> for PauseWhileBodyPending<L>
where
    L: TimeoutSource<Request<B>>,
{
    #[inline]
    fn limit(&self, request: &Request<B>) -> Option<Duration> {
        self.0.limit(request)
    }

    #[inline]
    fn body_wait(&self, request: &Request<B>) -> Option<BodyWait> {
        request.extensions().get().cloned()
    }
}

impl<F> fmt::Debug for TimeoutFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeoutFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
