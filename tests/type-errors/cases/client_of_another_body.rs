use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use seawall::StandardLayer;
use tower::ServiceBuilder;
use type_errors::check;

fn main() {
    let hyper: Client<HttpConnector, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(hyper);
    check::<Request<Empty<Bytes>>>(client);
}
