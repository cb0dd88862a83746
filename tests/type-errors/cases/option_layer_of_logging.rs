use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use seawall::logging::LoggingLayer;
use tower::ServiceBuilder;
use type_errors::{NotClone, check};

fn main() {
    let client = ServiceBuilder::new().option_layer(Some(LoggingLayer::client())).service(NotClone);
    check::<Request<Empty<Bytes>>>(client);
}
