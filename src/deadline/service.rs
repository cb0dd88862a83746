use std::{
    sync::{Arc, atomic::AtomicU64},
    task::{Context, Poll},
};

use http::{Request, Response};
use tokio::time::Instant;
use tower_service::Service;

use super::{ResponseFuture, TimedBody, future::Limit, layer::Settings};
use crate::{BoxError, Deadline};

/// Service made by [`DeadlineLayer`](super::DeadlineLayer).
#[derive(Clone, Debug)]
pub struct WithDeadline<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
    pub(super) ignored: Arc<AtomicU64>,
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
        let settings = self.settings;
        let Some(time) = settings.time(request.headers(), &self.ignored) else {
            return ResponseFuture::new(Some(self.inner.call(request)), None);
        };
        let now = Instant::now();
        let deadline = Deadline::after(now, time);
        let callers = request.extensions().get::<Deadline>().copied();
        let deadline = callers.map_or(deadline, |callers| callers.min(deadline));
        let inner = if deadline.at() <= now {
            None
        } else {
            // A later one of the caller's would be told to the next hop.
            if (settings.tell_inner || callers.is_some()) && callers != Some(deadline) {
                request.extensions_mut().insert(deadline);
            }
            Some(self.inner.call(request))
        };
        let with_body = settings.with_body;
        ResponseFuture::new(inner, Some(Limit { started: now, at: deadline.at(), with_body }))
    }
}
