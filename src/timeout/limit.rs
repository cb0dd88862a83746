use std::{any::type_name, fmt, time::Duration};

/// Chooses the time limit of a call: [`Fixed`], or [`By`] a closure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` sets no time limit for requests of type `{Req}`",
    note = "`TimeoutLayer::by` takes a closure that returns `Option<Duration>` and whose argument has its type written: \
            `|request: &http::Request<_>| Some(limit)`"
)]
pub trait Limit<Req> {
    /// Returns the limit of a call; `None` for none.
    fn limit(&self, request: &Req) -> Option<Duration>;
}

/// The same limit for every call.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub(super) Duration);

impl<Req> Limit<Req> for Fixed {
    #[inline]
    fn limit(&self, _request: &Req) -> Option<Duration> {
        Some(self.0)
    }
}

/// A closure that chooses the limit of each call: see [`TimeoutLayer::by`](super::TimeoutLayer::by).
#[derive(Clone, Copy)]
pub struct By<F>(pub(super) F);

impl<F, Req> Limit<Req> for By<F>
where
    F: Fn(&Req) -> Option<Duration>,
{
    #[inline]
    fn limit(&self, request: &Req) -> Option<Duration> {
        (self.0)(request)
    }
}

impl<F> fmt::Debug for By<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("By").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
