use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::{RetryLayer, BoxError, retry::ReplayBody};
use tower::{ServiceBuilder, ServiceExt};
use std::error::Error;

#[derive(Clone)]
struct Mine;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = ServiceBuilder::new().layer(RetryLayer::new().classifier(Mine)).service_fn(async |_: Request<ReplayBody<Full<Bytes>>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
    let _ = ServiceExt::oneshot(client, Request::new(Full::<Bytes>::default())).await;
    let client = ServiceBuilder::new().layer(RetryLayer::new().classifier(|_: Result<&Response<Full<Bytes>>, &(dyn Error + 'static)>| None)).service_fn(async |_: Request<ReplayBody<Full<Bytes>>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
    let _ = ServiceExt::oneshot(client, Request::new(Full::<Bytes>::default())).await;
}
