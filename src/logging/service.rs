use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use seawall_core::classify::{Classify, HttpClassifier};
use tower_service::Service;
use tracing::level_filters::LevelFilter;

use super::{
    RequestHead, ResponseBody, ResponseFuture,
    errors::{AsStdError, KnownErrors},
    guard::RecordGuard,
    settings::Settings,
};
use crate::sharded_arc::ShardedArc;

/// A service that logs each request. Created by [`LoggingLayer`](super::LoggingLayer).
///
/// It returns no errors of its own.
#[derive(Clone, Debug)]
pub struct Logging<S, C = HttpClassifier, V = KnownErrors> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) error_view: V,
    /// The result of [`Settings::min_level`], computed by the layer.
    pub(super) min_level: LevelFilter,
    pub(super) settings: ShardedArc<Settings>,
}

impl<S, C, V, ReqBody, ResBody> Service<Request<ReqBody>> for Logging<S, C, V>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Display,
    C: Classify<Response<ResBody>> + Clone,
    V: AsStdError<S::Error> + Clone,
    ResBody: http_body::Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C, V>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let guard = if LevelFilter::current() < self.min_level {
            RecordGuard::default()
        } else {
            RecordGuard::start(&self.settings, RequestHead::new(&request))
        };
        if let Some(inner_calls) = guard.inner_calls() {
            request.extensions_mut().insert(inner_calls);
        }
        let entered = guard.enter();
        let inner = self.inner.call(request);
        drop(entered);
        let (classifier, error_view) = (self.classifier.clone(), self.error_view.clone());
        ResponseFuture { inner, guard, classifier, error_view }
    }
}
