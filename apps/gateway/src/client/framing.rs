//! Rejects responses whose framing is ambiguous after this hop (RFC 9112, section 6).

use std::{
    error::Error,
    fmt,
    task::{Context, Poll},
};

use futures_util::future::{FutureExt, Map};
use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
};
use seawall::{BoxError, Cause, Failure, Reporter};
use tower::Service;

/// A client that fails on responses that a proxy must not forward.
///
/// | response | result |
/// |---|---|
/// | `Transfer-Encoding: chunked` and `Content-Length` | loses its length (RFC 9112, section 6.3) |
/// | another transfer coding, which hyper would not decode | an error |
/// | status 101 without an upgrade request | an error |
///
/// hyper itself rejects conflicting lengths.
#[derive(Clone, Debug)]
pub(crate) struct CheckFraming<S> {
    inner: S,
}

impl<S> CheckFraming<S> {
    pub(super) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

type Check<B, E> = fn(Result<Response<B>, E>) -> Result<Response<B>, BoxError>;

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for CheckFraming<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: Into<BoxError>>,
{
    type Response = Response<ResBody>;
    type Error = BoxError;
    type Future = Map<S::Future, Check<ResBody, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let check: Check<ResBody, S::Error> = if request.headers().contains_key(UPGRADE) {
            |outcome| check_transfer_coding(outcome.map_err(Into::into)?)
        } else {
            |outcome| check_status(outcome.map_err(Into::into)?)
        };
        self.inner.call(request).map(check)
    }
}

fn check_status<B>(response: Response<B>) -> Result<Response<B>, BoxError> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(MalformedResponse::error(
            "the upstream switched protocols without a request to do so",
            Cause::HttpProtocolError,
        ));
    }
    check_transfer_coding(response)
}

fn check_transfer_coding<B>(mut response: Response<B>) -> Result<Response<B>, BoxError> {
    let headers = response.headers_mut();
    if !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(response);
    }
    if !is_chunked(headers) {
        return Err(MalformedResponse::error(
            "the response has a transfer coding that the request did not accept",
            Cause::HttpResponseTransferCoding,
        ));
    }
    headers.remove(CONTENT_LENGTH);
    Ok(response)
}

/// Returns whether `chunked` is the only transfer coding.
fn is_chunked(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(TRANSFER_ENCODING).iter();
    let first = values.next().map(http::HeaderValue::as_bytes).unwrap_or_default();
    values.next().is_none() && first.trim_ascii().eq_ignore_ascii_case(b"chunked")
}

/// A response that cannot be forwarded.
#[derive(Debug)]
struct MalformedResponse {
    reason: &'static str,
    failure: Failure,
}

impl MalformedResponse {
    fn error(reason: &'static str, cause: Cause) -> BoxError {
        let failure = Failure::new(cause).with_reporter(Reporter::Local);
        Box::new(Self { reason, failure })
    }
}

impl fmt::Display for MalformedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl Error for MalformedResponse {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}
