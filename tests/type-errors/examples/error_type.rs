use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::{RetryLayer, retry::ReplayBody};
use tower::{ServiceBuilder, ServiceExt};

#[derive(Debug)]
struct MyError;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = ServiceBuilder::new().layer(RetryLayer::new()).service_fn(async |_: Request<ReplayBody<Full<Bytes>>>| Err::<Response<Full<Bytes>>, _>(MyError));
    let _ = ServiceExt::oneshot(client, Request::new(Full::<Bytes>::default())).await;
}
