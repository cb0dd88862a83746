use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use seawall::standard::StandardLayer;
use tower::{Layer, ServiceExt};
use type_errors::client_of_empty_bodies;

fn main() {
    let client = StandardLayer::new("billing").layer(client_of_empty_bodies());
    let _response = client.oneshot(Request::new(Empty::<Bytes>::new()));
}
