use std::{
    sync::atomic::AtomicU64,
    task::{Context, Poll},
};

use http::{Request, Response};
use seawall_core::BoxError;
use tower_service::Service;

use super::{ResponseFuture, settings::Settings};
use crate::sharded_arc::ShardedArc;
use crate::time_limit::TimeoutBody;

/// A service that ends calls at their deadline.
///
/// Created by [`DeadlineLayer`](super::DeadlineLayer).
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
    pub(super) invalid_headers: ShardedArc<AtomicU64>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for DeadlineService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<TimeoutBody<ResBody>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (deadline, is_late) = self.settings.start(&mut request, &self.invalid_headers);
        if is_late {
            return ResponseFuture::new(None, deadline);
        }
        ResponseFuture::new(Some(self.inner.call(request)), deadline)
    }
}
