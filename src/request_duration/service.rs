use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use seawall_core::BoxError;
use tower_service::Service;

use super::{
    ResponseFuture,
    measure::Measurement,
    server_labels::{Last, ServerLabels},
    settings::{Role, Settings},
};
use crate::body::{CompleteOnBodyEnd, PanicGuard, TrackCompletion};

/// Service made by [`RequestDurationLayer`](super::RequestDurationLayer).
#[derive(Clone, Debug)]
pub struct RequestDuration<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
    pub(super) last: Last,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequestDuration<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: 'static,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response =
        <CompleteOnBodyEnd as TrackCompletion<Response<ResBody>>>::Response<Measurement>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        let server = match self.settings.role {
            Role::Client => self.last.labels(&head.uri),
            Role::Server => ServerLabels::default(),
        };
        let mut measure = PanicGuard::new(Some(Measurement::start(&self.settings, &head, server)));
        let request = Request::from_parts(head, body);
        measure.enter();
        let inner = self.inner.call(request);
        measure.leave();
        ResponseFuture { inner, measure }
    }
}
