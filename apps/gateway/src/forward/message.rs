//! The rules that every request to the server obeys.

use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Version,
    header::{CONTENT_LENGTH, MAX_FORWARDS, TRANSFER_ENCODING},
    uri::Scheme,
};

use super::{host, refusal::Refusal};

/// Validates a request, sets `Host` and decrements `Max-Forwards`.
///
/// # Errors
/// Returns the response to a request that is malformed, or not for a gateway.
pub(super) fn validate<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    validate_framing(request.version(), request.headers())?;
    match *request.method() {
        Method::CONNECT => {
            return Err(Refusal::new(
                StatusCode::NOT_IMPLEMENTED,
                "The gateway opens no tunnels. WebSocket needs an upgrade over HTTP/1.1.",
            ));
        }
        Method::TRACE => {
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "TRACE is not allowed."));
        }
        _ => {}
    }
    let uri = request.uri();
    if !uri.path().starts_with('/') {
        return Err(Refusal::bad_request("The request target is neither a path nor a URL."));
    }
    if uri.scheme().is_some_and(|scheme| *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS) {
        return Err(Refusal::bad_request("The scheme of the request target is not http or https."));
    }
    host::validate(request)?;
    if request.method() == Method::OPTIONS {
        decrement_max_forwards(request.headers_mut())?;
    }
    Ok(())
}

/// Refuses what another server could read as two messages (RFC 9112 §6.1).
fn validate_framing(version: Version, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    // hyper 1.12 removes the length, and closes the connection after the response. This check does
    // not depend on that.
    if version != Version::HTTP_11 || headers.contains_key(CONTENT_LENGTH) {
        let detail = "The request has both Transfer-Encoding and Content-Length.";
        return Err(Refusal::bad_request(detail).and_close());
    }
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        let detail = "The only supported transfer coding is chunked.";
        return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, detail).and_close());
    }
    Ok(())
}

/// Answers `Max-Forwards: 0`, and decrements any other number (RFC 9110 §7.6.2).
fn decrement_max_forwards(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let mut fields = headers.get_all(MAX_FORWARDS).iter();
    let Some(field) = fields.next() else { return Ok(()) };
    let digits = field.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let number: Option<u32> = digits.and_then(|digits| digits.parse().ok());
    match number {
        Some(number) if fields.next().is_none() => match number.checked_sub(1) {
            Some(number) => headers.insert(MAX_FORWARDS, HeaderValue::from(number)),
            None => return Err(Refusal::new(StatusCode::NO_CONTENT, "")),
        },
        _ => return Err(Refusal::bad_request("The Max-Forwards field is invalid.")),
    };
    Ok(())
}
