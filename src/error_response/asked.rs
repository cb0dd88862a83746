//! What an answer needs to know of its request, which is gone by the time of an error.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::accept::Format;

/// The longest `Accept` that is read, its lines taken together, in bytes. Browsers send some 150.
const LONGEST_ACCEPT: usize = 1_024;
/// The longest request id that is repeated, in bytes.
const LONGEST_ID: usize = 128;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Kept for each request, so it must cost next to nothing: values are shared, not copied, and looked into only when
/// there is an error to answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) is_head: bool,
    pub(super) is_grpc: bool,
    accept: Option<HeaderValue>,
    request_id: Option<HeaderValue>,
}

impl Asked {
    #[inline]
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let method = request.method();
        let asked = Self {
            is_head: method == Method::HEAD,
            is_grpc: false,
            accept: None,
            request_id: None,
        };
        if request.headers().is_empty() {
            return asked;
        }
        asked.with(method, request.headers())
    }

    #[inline(never)]
    fn with(self, method: &Method, headers: &HeaderMap) -> Self {
        Self {
            // gRPC knows no other method.
            is_grpc: method == Method::POST && is_grpc(headers),
            accept: accept(headers),
            request_id: headers.get(&X_REQUEST_ID).filter(|id| id.len() <= LONGEST_ID).cloned(),
            ..self
        }
    }

    pub(super) fn format(&self) -> Format {
        let accept = self.accept.as_ref().and_then(|accept| accept.to_str().ok());
        accept.map(Format::wanted).unwrap_or_default()
    }

    /// Visible ASCII only; anything else is no id.
    pub(super) fn request_id(&self) -> Option<&str> {
        let id = self.request_id.as_ref()?.to_str().ok()?;
        (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
    }
}

/// `application/grpc`, `application/grpc+proto`; but not `application/grpc-web`, which frames its trailers.
fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    match value.strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';' | b' ')),
        None => false,
    }
}

#[inline]
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    // No header has several lines: the cheaper look-up will do.
    if headers.len() == headers.keys_len() {
        return headers.get(ACCEPT).filter(|line| line.len() <= LONGEST_ACCEPT).cloned();
    }
    let mut lines = headers.get_all(ACCEPT).iter();
    let (first, second) = (lines.next()?, lines.next());
    if second.is_none() {
        return (first.len() <= LONGEST_ACCEPT).then(|| first.clone());
    }
    joined(headers)
}

/// RFC 9110 §5.3: several lines are one list.
#[cold]
fn joined(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = Vec::new();
    for line in headers.get_all(ACCEPT) {
        if all.len() + line.len() >= LONGEST_ACCEPT {
            return None;
        }
        all.extend_from_slice(line.as_bytes());
        all.push(b',');
    }
    HeaderValue::from_bytes(&all).ok()
}
