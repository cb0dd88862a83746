//! The answer to a gRPC call: trailers only, as gRPC's "PROTOCOL-HTTP2" describes.

use bytes::Bytes;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::answer::Answer;
use crate::Cause;

/// What is not sent as it is in `grpc-message`: all but %x20-24 and %x26-7E.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

pub(super) fn response(answer: &Answer) -> Response<Option<Bytes>> {
    let mut message = answer.failure().cause().as_str().replace('_', " ");
    if let Some(text) = answer.text() {
        message.extend([": ", text]);
    }
    let message = utf8_percent_encode(&message, ENCODED).to_string();
    let mut response = Response::new(None);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(code(answer.failure().cause())));
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert("grpc-message", message);
    }
    if let Some(pushback) = pushback(answer) {
        headers.insert("grpc-retry-pushback-ms", HeaderValue::from(pushback));
    }
    response
}

/// gRFC A6, "Pushback": how long to wait, in milliseconds, or, when negative, the word not to retry.
fn pushback(answer: &Answer) -> Option<i32> {
    if answer.gave_up() {
        return Some(-1);
    }
    let ms = answer.retry_after()?.as_nanos().div_ceil(1_000_000);
    Some(i32::try_from(ms).unwrap_or(i32::MAX))
}

/// By what gRPC's "statuscodes" says of each code. Where that leaves it open, by the status that HTTP would have, as
/// gRPC's "http-grpc-status-mapping" has it: 502, 503 and 504 are `UNAVAILABLE`.
const fn code(cause: Cause) -> u16 {
    match cause {
        // CANCELLED: "the operation was cancelled".
        Cause::Cancelled => 1,
        // UNKNOWN: "do not return enough error information"; and any status that the mapping does not name.
        Cause::OriginError | Cause::Unknown => 2,
        // DEADLINE_EXCEEDED: "even if the operation has completed successfully", so it does not invite a retry.
        Cause::HttpResponseTimeout
        | Cause::ConnectionReadTimeout
        | Cause::ConnectionWriteTimeout => 4,
        // PERMISSION_DENIED: as 403.
        Cause::HttpRequestDenied => 7,
        // RESOURCE_EXHAUSTED: "perhaps a per-user quota"; "server temporarily out of resources".
        Cause::RateLimited | Cause::ConnectionLimitReached => 8,
        // ABORTED: "typically due to a concurrency issue".
        Cause::Conflict => 10,
        // UNIMPLEMENTED: as 404, for a method that no server is known for.
        Cause::DestinationNotFound => 12,
        // INTERNAL: "something is very broken", and another try would not mend it; also as 400.
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
