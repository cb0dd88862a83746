//! The response to a gRPC call: "trailers only", as defined in gRPC's "PROTOCOL-HTTP2".

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use seawall_core::internal::grpc_code;

use crate::{error_response::reply::ErrorReply, headers};

/// The characters that are percent-encoded in `grpc-message`: all except %x20-24 and %x26-7E.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
static GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
static GRPC_RETRY_PUSHBACK_MS: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

pub(in crate::error_response) fn render(reply: &ErrorReply) -> Response<Option<Bytes>> {
    let cause = reply.failure.cause();
    let mut message = cause.as_str().replace('_', " ");
    if let Some(text) = &reply.text {
        message.extend([": ", text]);
    }
    let message = utf8_percent_encode(&message, ENCODED).to_string();
    let mut response = Response::new(None);
    let map = response.headers_mut();
    headers::insert(map, &CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers::insert(map, &GRPC_STATUS, HeaderValue::from(grpc_code(cause)));
    if let Ok(message) = HeaderValue::try_from(message) {
        headers::insert(map, &GRPC_MESSAGE, message);
    }
    if let Some(millis) = pushback_millis(reply) {
        headers::insert(map, &GRPC_RETRY_PUSHBACK_MS, HeaderValue::from(millis));
    }
    response
}

/// Returns the delay before a retry in milliseconds, or -1 to forbid a retry (gRFC A6, "Pushback").
fn pushback_millis(reply: &ErrorReply) -> Option<i32> {
    if reply.is_exhausted() {
        return Some(-1);
    }
    let millis = reply.retry_after?.as_nanos().div_ceil(1_000_000);
    Some(i32::try_from(millis).unwrap_or(i32::MAX))
}
