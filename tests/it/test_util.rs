//! `test_util`: upstreams with scripted failures.

mod bad_script;
mod raw_clients;
mod service;
mod socket;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use seawall::{
    BoxError, Ratio,
    classify::{classify_body_error, classify_error},
    test_util::{
        FlakyBody, FlakyService, FlakyUpstream, InvalidScript, ReceivedRequest, Script, Step,
    },
};
use static_assertions::assert_impl_all;

type Body = Full<Bytes>;

assert_impl_all!(FlakyService: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(FlakyUpstream: Send, Sync, std::fmt::Debug);
assert_impl_all!(FlakyBody: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(Script: Clone, Send, Sync, std::fmt::Debug, Default);
assert_impl_all!(Step: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(ReceivedRequest: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(InvalidScript: Clone, Send, Sync, std::error::Error);
assert_impl_all!(seawall::test_util::ResponseFuture<Body>: Send, Sync, std::fmt::Debug);

fn request(method: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri("http://upstream/a?b").body(body.into()).unwrap()
}

fn get() -> Request<Body> {
    request("GET", "")
}
