use std::{any::type_name, fmt, time::Duration};

/// Chooses the time limit of a call: [`FixedTimeout`], or [`TimeoutFn`] a closure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` sets no time limit for requests of type `{Req}`",
    note = "`TimeoutLayer::from_fn` takes a closure that returns `Option<Duration>` and whose argument has its type written: \
            `|request: &http::Request<_>| Some(limit)`"
)]
pub trait TimeoutSource<Req> {
    /// Returns the limit of a call; `None` for none.
    fn limit(&self, request: &Req) -> Option<Duration>;
}

/// The same limit for every call.
#[derive(Clone, Copy, Debug)]
pub struct FixedTimeout(pub(super) Duration);

impl<Req> TimeoutSource<Req> for FixedTimeout {
    #[inline]
    fn limit(&self, _request: &Req) -> Option<Duration> {
        Some(self.0)
    }
}

/// A closure that chooses the limit of each call: see [`TimeoutLayer::from_fn`](super::TimeoutLayer::from_fn).
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

impl<F> fmt::Debug for TimeoutFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeoutFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
