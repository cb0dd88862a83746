use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    ResponseFuture,
    layer::{RequestDurationLayer, Side},
    measure::Measure,
    server::{Last, Server},
};
use crate::{
    BoxError,
    body::{Extent, PanicGuard, WholeBody},
};

/// Service made by [`RequestDurationLayer`].
#[derive(Clone, Debug)]
pub struct RequestDuration<S> {
    pub(super) inner: S,
    pub(super) layer: RequestDurationLayer,
    pub(super) last: Last,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequestDuration<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: 'static,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = <WholeBody as Extent<Response<ResBody>>>::Response<Measure>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        let server = match self.layer.side {
            Side::Client => self.last.of(&head.uri),
            Side::Server => Server::default(),
        };
        let mut measure = PanicGuard::new(Some(Measure::start(&self.layer, &head, server)));
        let request = Request::from_parts(head, body);
        measure.enter();
        let inner = self.inner.call(request);
        measure.leave();
        ResponseFuture { inner, measure }
    }
}
