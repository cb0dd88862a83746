//! Parses the head of a request.

use std::io;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, request::Parts};
use httparse::Status;

const MAX_HEADERS: usize = 100;

/// The head of a request.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) framing: Framing,
    /// Whether the connection stays open for another request.
    pub(super) keep_alive: bool,
    /// Whether the client waits for a 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
    pub(super) expects_continue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// Parses the head at the beginning of `bytes`, and returns it with its length. Returns `None` if
/// the head is incomplete.
pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes).map_err(invalid)? {
        Status::Complete(length) => length,
        Status::Partial => return Ok(None),
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = request.method.unwrap_or_default().parse::<Method>().map_err(invalid)?;
    parts.uri = request.path.unwrap_or_default().parse::<Uri>().map_err(invalid)?;
    for header in request.headers.iter() {
        let name = header.name.parse::<HeaderName>().map_err(invalid)?;
        parts.headers.append(name, HeaderValue::from_bytes(header.value).map_err(invalid)?);
    }
    // RFC 9112 §9.3: HTTP/1.0 closes the connection by default.
    let closes =
        request.version == Some(0) || has_token(&parts.headers, &header::CONNECTION, "close");
    let head = Head {
        framing: framing(&parts.headers)?,
        keep_alive: !closes,
        expects_continue: has_token(&parts.headers, &header::EXPECT, "100-continue"),
        parts,
    };
    Ok(Some((head, length)))
}

/// Determines the framing of the body (RFC 9112 §6.3).
fn framing(headers: &HeaderMap) -> io::Result<Framing> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(Framing::Chunked);
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(Framing::Length(0)) };
    let length = length.to_str().map_err(invalid)?;
    Ok(Framing::Length(length.parse().map_err(invalid)?))
}

/// Returns whether a header, which is a list of tokens, contains `token` (RFC 9110 §5.6.1).
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
