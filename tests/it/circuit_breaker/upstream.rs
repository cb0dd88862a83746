//! What is called, and with what.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use seawall::test_util::{FlakyService, Step};

pub(crate) type Body = Full<Bytes>;

/// Does the same for every request, until it is told otherwise.
pub(crate) fn upstream(step: Step) -> FlakyService {
    FlakyService::new(step).unwrap()
}

pub(crate) fn get() -> Request<Body> {
    get_from("http://upstream/")
}

pub(crate) fn get_from(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}
