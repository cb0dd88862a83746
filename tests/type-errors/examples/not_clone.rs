use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::{BoxError, RetryLayer, TimeoutLayer, LoggingLayer};
use tower::{Service, ServiceBuilder, ServiceExt};
use std::task::{Context, Poll};
use std::time::Duration;
use std::future::{Ready, ready};

struct Upstream;

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> { Poll::Ready(Ok(())) }
    fn call(&mut self, _: Request<B>) -> Self::Future { ready(Ok(Response::default())) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = ServiceBuilder::new().layer(LoggingLayer::client()).layer(RetryLayer::new()).layer(TimeoutLayer::new(Duration::MAX)).service(Upstream);
    let _ = client.oneshot(Request::new(Full::<Bytes>::default())).await;
}
