use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::{TimeoutLayer, BoxError};
use tower::{ServiceBuilder, ServiceExt};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = ServiceBuilder::new().layer(TimeoutLayer::by(|r| { if r.uri().path() == "/" { None } else {Some(Duration::from_secs(1))} })).service_fn(async |_: Request<Full<Bytes>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
    let _ = ServiceExt::oneshot(client, Request::new(Full::<Bytes>::default())).await;
}
