use bytes::Bytes;
use http::Request;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use seawall::{BoxError, standard::StandardLayer};
use tower::{ServiceBuilder, ServiceExt};
use type_errors::{Body, spawn};

fn main() {
    let hyper: Client<HttpConnector, UnsyncBoxBody<Bytes, BoxError>> =
        Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("billing").map_body(UnsyncBoxBody::new))
        .service(hyper);
    spawn(async move {
        let _ = client.oneshot(Request::new(Body::default())).await;
    });
}
