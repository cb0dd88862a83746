//! The parts of a request that determine the form of an error response.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::accept::Format;

/// The maximum total length of all `Accept` lines. Browsers send about 150 bytes.
const MAX_ACCEPT_BYTES: usize = 1_024;
/// The maximum length of a request id.
const MAX_ID_BYTES: usize = 128;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The parts of a request, stored for every call but read only for an error.
///
/// Header values are shared with the request, not copied.
#[derive(Debug)]
pub(super) struct RequestInfo {
    pub(super) is_head: bool,
    pub(super) is_grpc: bool,
    accept: Option<HeaderValue>,
    request_id: Option<HeaderValue>,
}

impl RequestInfo {
    pub(super) fn new<B>(request: &Request<B>) -> Self {
        let (method, headers) = (request.method(), request.headers());
        Self {
            is_head: method == Method::HEAD,
            // Every gRPC call is a POST.
            is_grpc: method == Method::POST && is_grpc(headers),
            accept: accept(headers),
            request_id: headers.get(&X_REQUEST_ID).filter(|id| id.len() <= MAX_ID_BYTES).cloned(),
        }
    }

    /// Returns the format that `Accept` selects.
    pub(super) fn format(&self) -> Format {
        let accept = self.accept.as_ref().and_then(|accept| accept.to_str().ok());
        accept.map(Format::negotiate).unwrap_or_default()
    }

    /// Returns the request id, if it is visible ASCII.
    pub(super) fn request_id(&self) -> Option<&str> {
        let id = self.request_id.as_ref()?.to_str().ok()?;
        (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
    }
}

/// Returns whether the content type is `application/grpc`, with or without a suffix such as
/// `+proto`.
///
/// `application/grpc-web` is another protocol.
fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    match value.strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';' | b' ')),
        None => false,
    }
}

/// Returns the value of `Accept`, unless it is too long.
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = headers.get_all(ACCEPT).iter();
    let (first, second) = (lines.next()?, lines.next());
    if second.is_none() {
        return (first.len() <= MAX_ACCEPT_BYTES).then(|| first.clone());
    }
    join_accept_lines(headers)
}

/// Joins the lines of `Accept`, which are one list (RFC 9110 §5.3).
fn join_accept_lines(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut joined = Vec::new();
    for line in headers.get_all(ACCEPT) {
        if joined.len() + line.len() >= MAX_ACCEPT_BYTES {
            return None;
        }
        joined.extend_from_slice(line.as_bytes());
        joined.push(b',');
    }
    HeaderValue::from_bytes(&joined).ok()
}
