use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, settings::Settings};

/// A service that finds the cause of failed responses.
///
/// Created by [`BadGatewayClassifierLayer`](super::BadGatewayClassifierLayer).
#[derive(Clone, Debug)]
pub struct BadGatewayClassifier<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
}

impl<S, Req, B> Service<Req> for BadGatewayClassifier<S>
where
    S: Service<Req, Response = Response<B>>,
    B: Body,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, B>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.settings)
    }
}
