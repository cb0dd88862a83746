use std::{
    sync::atomic::AtomicU64,
    task::{Context, Poll},
};

use http::{Request, Response};
use tokio::time::Instant;
use tower_service::Service;

use super::{ResponseFuture, TimedBody, future::ActiveDeadline, layer::Settings};
use crate::{error::BoxError, sharded::Sharded, time_limit::Deadline};

/// Service made by [`DeadlineLayer`](super::DeadlineLayer).
#[derive(Clone, Debug)]
pub struct WithDeadline<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
    pub(super) ignored: Sharded<AtomicU64>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for WithDeadline<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<TimedBody<ResBody>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (deadline, is_late) = self.settings.start(&mut request, &self.ignored);
        let inner = (!is_late).then(|| self.inner.call(request));
        ResponseFuture::new(inner, deadline)
    }
}

impl Settings {
    /// Returns the deadline of a call that starts now, and whether it has already passed. Inserts it into the request's
    /// extensions, if so configured.
    fn start<B>(
        &self,
        request: &mut Request<B>,
        ignored: &AtomicU64,
    ) -> (Option<ActiveDeadline>, bool) {
        let Some(time) = self.time(request.headers(), ignored) else {
            return (None, false);
        };
        let started = Instant::now();
        let deadline = Deadline::after(started, time);
        let callers = request.extensions().get::<Deadline>().copied();
        let deadline = callers.map_or(deadline, |callers| callers.min(deadline));
        let is_late = deadline.at() <= started;
        // A later deadline of the caller must not reach the next hop.
        if !is_late && (self.tell_inner || callers.is_some()) && callers != Some(deadline) {
            request.extensions_mut().insert(deadline);
        }
        (Some(ActiveDeadline { started, at: deadline.at(), with_body: self.with_body }), is_late)
    }
}
