//! The scripted upstream, and requests to it.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

pub(crate) type Body = Full<Bytes>;

pub(crate) use crate::support::upstream;

pub(crate) fn get() -> Request<Body> {
    get_from("http://upstream/")
}

pub(crate) fn get_from(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}
