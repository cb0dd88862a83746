//! The response to a gRPC call: "trailers only", as defined in gRPC's "PROTOCOL-HTTP2".

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use seawall_core::Cause;

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
    headers::insert(map, &GRPC_STATUS, HeaderValue::from(grpc_status(cause)));
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
    if reply.is_exhausted {
        return Some(-1);
    }
    let millis = reply.retry_after?.as_nanos().div_ceil(1_000_000);
    Some(i32::try_from(millis).unwrap_or(i32::MAX))
}

/// Returns the status code that gRPC's "statuscodes" defines for a cause.
///
/// For other causes, gRPC's "http-grpc-status-mapping" maps the HTTP status: 502, 503 and 504 are
/// `UNAVAILABLE`.
const fn grpc_status(cause: Cause) -> u16 {
    match cause {
        // CANCELLED: "the operation was cancelled".
        Cause::Cancelled => 1,
        // UNKNOWN: "do not return enough error information", and any status outside the mapping.
        Cause::OriginError | Cause::Unknown => 2,
        // DEADLINE_EXCEEDED: "even if the operation has completed successfully", so it does not
        // suggest a retry.
        Cause::HttpResponseTimeout
        | Cause::ConnectionReadTimeout
        | Cause::ConnectionWriteTimeout => 4,
        // PERMISSION_DENIED: the mapping of 403.
        Cause::HttpRequestDenied => 7,
        // RESOURCE_EXHAUSTED: "perhaps a per-user quota"; "server temporarily out of resources".
        Cause::RateLimited | Cause::ConnectionLimitReached => 8,
        // ABORTED: "typically due to a concurrency issue".
        Cause::Conflict => 10,
        // UNIMPLEMENTED: the mapping of 404, for a method without a known server.
        Cause::DestinationNotFound => 12,
        // INTERNAL: "something is very broken", so a retry would not help. Also the mapping of 400.
        Cause::HttpRequestError
        | Cause::ClientError
        | Cause::HttpResponseHeaderSectionSize
        | Cause::HttpResponseHeaderSize
        | Cause::HttpResponseBodySize
        | Cause::HttpResponseTrailerSectionSize
        | Cause::HttpResponseTrailerSize
        | Cause::HttpResponseTransferCoding
        | Cause::HttpResponseContentCoding
        | Cause::HttpUpgradeFailed
        | Cause::HttpProtocolError
        | Cause::ProxyInternalError
        | Cause::ProxyConfigurationError
        | Cause::ProxyLoopDetected => 13,
        // UNAVAILABLE: "most likely a transient condition".
        _ => 14,
    }
}
