use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use seawall::standard::StandardLayer;
use tower::ServiceBuilder;
use type_errors::{check, client_of_empty_bodies};

fn main() {
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("billing"))
        .service(client_of_empty_bodies());
    check::<Request<Empty<Bytes>>>(client);
}
