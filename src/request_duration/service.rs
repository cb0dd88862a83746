use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use seawall_core::BoxError;
use tower_service::Service;

use super::{
    ResponseFuture,
    measure::Measurement,
    server_labels::{CachedLabels, ServerLabels},
    settings::{Role, Settings},
};
use crate::body::{CompleteOnBodyEnd, PanicGuard, TrackCompletion};

/// A service that measures the duration of each request.
///
/// Created by [`RequestDurationLayer`](super::RequestDurationLayer).
#[derive(Clone, Debug)]
pub struct RequestDuration<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
    pub(super) cached_labels: CachedLabels,
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
        let server = match self.settings.role {
            Role::Client => self.cached_labels.labels(request.uri()),
            Role::Server => ServerLabels::default(),
        };
        let (route, request) = self.settings.route.find(request);
        let measurement = Measurement::start(&self.settings, &request, server, route);
        let mut measurement = PanicGuard::new(Some(measurement));
        measurement.enter();
        let inner = self.inner.call(request);
        measurement.leave();
        ResponseFuture { inner, measurement }
    }
}
