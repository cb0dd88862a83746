use std::{
    sync::atomic::AtomicU64,
    task::{Context, Poll},
};

use http::{Request, Response};
use tokio::time::Instant;
use tower_service::Service;

use super::{ResponseFuture, TimedBody, future::Limit, layer::Settings};
use crate::{BoxError, Deadline, sharded::Sharded};

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
        let (limit, is_late) = self.settings.start(&mut request, &self.ignored);
        if is_late {
            return ResponseFuture::new(None, limit);
        }
        ResponseFuture::new(Some(self.inner.call(request)), limit)
    }
}

impl Settings {
    /// The limit of a call that begins now, and whether it has passed already. Tells inner layers, if they are to know.
    pub(super) fn start<B>(
        &self,
        request: &mut Request<B>,
        ignored: &AtomicU64,
    ) -> (Option<Limit>, bool) {
        let Some(time) = self.time(request.headers(), ignored) else {
            return (None, false);
        };
        let started = Instant::now();
        let deadline = Deadline::after(started, time);
        let callers = request.extensions().get::<Deadline>().copied();
        let deadline = callers.map_or(deadline, |callers| callers.min(deadline));
        let is_late = deadline.at() <= started;
        // A later one of the caller's would be told to the next hop.
        if !is_late && (self.tell_inner || callers.is_some()) && callers != Some(deadline) {
            request.extensions_mut().insert(deadline);
        }
        (Some(Limit { started, at: deadline.at(), with_body: self.with_body }), is_late)
    }
}
