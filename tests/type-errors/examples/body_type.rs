use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::{client::legacy::{Client, connect::HttpConnector}, rt::TokioExecutor};
use seawall::RetryLayer;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let hyper: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(RetryLayer::new()).service(hyper);
    let _ = ServiceExt::oneshot(client, Request::new(Empty::<Bytes>::new())).await;
}
