//! Reads the content type, and adds headers to maps that a peer has filled.
//!
//! `http::HeaderMap::insert` and `append` panic if the map is full: at 24,576 names (`http` 1.5,
//! `header/map.rs`: three quarters of `MAX_SIZE`). Layers therefore use these functions only.

use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};

/// Returns whether a message is gRPC, which includes gRPC-Web: by its content type (gRPC over
/// HTTP/2, "Requests" and "Responses").
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}

/// Moves gRPC trailers with a status into the head. Returns them if they have none, or do not fit.
pub(crate) fn merge_grpc_status(
    trailers: HeaderMap,
    head: &mut HeaderMap,
) -> Result<(), HeaderMap> {
    if !trailers.contains_key("grpc-status") {
        return Err(trailers);
    }
    let mut merged = head.clone();
    for (name, value) in &trailers {
        if merged.try_append(name, value.clone()).is_err() {
            return Err(trailers);
        }
    }
    *head = merged;
    Ok(())
}

/// Sets a header of this crate. If the map is full, the header is dropped and counted.
///
/// A full map also rejects a name that it contains. The former value is then removed, because it is
/// that of the caller or of another attempt.
#[inline]
pub(crate) fn insert(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    if headers.try_insert(name, value).is_err() {
        headers.remove(name);
        crate::metrics::record_dropped_header(name);
    }
}

/// Appends a header of this crate. If the map is full, it is dropped and counted.
pub(crate) fn append(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    if headers.try_append(name, value).is_err() {
        crate::metrics::record_dropped_header(name);
    }
}
