use std::{
    fmt,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{
    ResponseBody, ResponseFuture,
    layer::{Levels, Side},
    record::Record,
};
use crate::{Classify, HttpClassifier};

/// Service made by [`LoggingLayer`](super::LoggingLayer). Makes no errors of its own.
#[derive(Clone, Debug)]
pub struct Logging<S, C = HttpClassifier> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) side: Side,
    pub(super) levels: Levels,
}

impl<S, C, ReqBody, ResBody> Service<Request<ReqBody>> for Logging<S, C>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Display + 'static,
    C: Classify<Response<ResBody>> + Clone,
    ResBody: http_body::Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let record = Record::start(self.side, self.levels, request.method(), request.uri());
        let inner = match &record {
            Some(record) => record.span.in_scope(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
        ResponseFuture { inner: Some(inner), record, classifier: self.classifier.clone() }
    }
}
