//! The request and its response, to the end of the body.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, Version,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT},
};
use hyper::body::Body;
use seawall::{BoxError, Cause, Failure, Reporter, classify::classify_error};
use tokio::time::timeout;
use tower::ServiceExt;

use super::{
    body::drain,
    stack::{self, Connection},
    tls,
};
use crate::{
    escape, fields,
    report::{Answer, Found},
    target::Target,
};

pub(crate) use super::stack::Stream;

/// How long a connection may take to say why it ended.
const DRIVER: Duration = Duration::from_millis(200);

pub(crate) async fn exchange(
    stream: Box<dyn Stream>,
    is_http2: bool,
    request: Request<super::stack::Body>,
    limit: Duration,
    answer: &mut Option<Answer>,
) -> Found<()> {
    let (connection, driver) = match timeout(limit, Connection::new(stream, is_http2)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return failed(&error, limit),
        Err(_) => {
            let failure = Failure::new(Cause::HttpResponseTimeout).with_reporter(Reporter::Local);
            return Found::bad(failure, format!("no answer in {limit:?}"));
        }
    };
    match stack::around(connection, limit).oneshot(request).await {
        Ok(response) => read(response, limit, answer).await,
        Err(error) => match timeout(DRIVER, driver).await {
            Ok(Ok(Err(ended))) => tls::after_handshake(&ended, classify_error(&*error))
                .map_or_else(
                    || failed(&*error, limit),
                    |(failure, words)| Found::bad(failure, words),
                ),
            _ => failed(&*error, limit),
        },
    }
}

/// The request for a target. In HTTP/2 its URI is whole, in HTTP/1.1 the path alone.
pub(crate) fn request(
    target: &Target,
    method: &Method,
    headers: &HeaderMap,
    is_http2: bool,
) -> http::Result<Request<super::stack::Body>> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = host.map_or_else(|| target.authority(), ToOwned::to_owned);
    let query = target.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", target.url.path());
    let uri = if is_http2 { format!("{}://{authority}{path}", target.url.scheme()) } else { path };
    let mut request = Request::builder().method(method).uri(uri).body(super::stack::Body::new())?;
    let fields = request.headers_mut();
    fields.insert(ACCEPT, HeaderValue::from_static("*/*"));
    fields.insert(USER_AGENT, HeaderValue::from_static("seawall-diagnose"));
    if target.has_user() {
        let (name, password) = (target.url.username(), target.url.password().unwrap_or_default());
        let plain = [name, password].map(decoded).join(&b':');
        let value = format!("Basic {}", BASE64_STANDARD.encode(plain));
        let mut value = HeaderValue::from_str(&value)?;
        value.set_sensitive(true);
        fields.insert(AUTHORIZATION, value);
    }
    for name in headers.keys() {
        fields.remove(name);
    }
    for (name, value) in headers {
        fields.append(name, value.clone());
    }
    fields.remove(HOST);
    if !is_http2 {
        fields.insert(HOST, HeaderValue::from_str(&authority)?);
    }
    Ok(request)
}

/// A part of a URL without its percent signs.
fn decoded(part: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(part).collect()
}

fn failed(error: &(dyn std::error::Error + 'static), limit: Duration) -> Found<()> {
    let failure = classify_error(error);
    if let Some((failure, words)) = tls::after_handshake(error, failure) {
        return Found::bad(failure, words);
    }
    let words = match failure.cause() {
        Cause::ConnectionTerminated => "the connection was closed without an answer".into(),
        Cause::HttpResponseTimeout => format!("no answer in {limit:?}"),
        Cause::HttpProtocolError => "what came is not HTTP".into(),
        Cause::HttpResponseHeaderSectionSize => "the head of the response is too large".into(),
        _ => escape::line(&error.to_string(), 120),
    };
    Found::bad(failure, words)
}

async fn read<B>(response: Response<B>, limit: Duration, answer: &mut Option<Answer>) -> Found<()>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let failure = stack::conclude(&response);
    let (head, body) = response.into_parts();
    let reason = head.status.canonical_reason().map(|reason| format!(" {reason}"));
    let mut status = format!("{}{}", head.status.as_u16(), reason.unwrap_or_default());
    let http = if head.version == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1" };
    let kept = answer.insert(Answer {
        status: head.status.as_u16(),
        fields: fields::of(&head.headers),
        says: String::new(),
        evidence: head.extensions.get().cloned(),
    });
    let endless = head.headers.get(CONTENT_TYPE);
    let endless = endless.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    if endless && failure.is_none() {
        status.push_str(", a stream without end");
        return Found::good((), format!("{status} by {http}"));
    }
    let mut start = Vec::new();
    let end = drain(body, limit, &mut start).await;
    if failure.is_some() {
        kept.says = escape::page(&start, 160);
    }
    match (failure, end) {
        (Some(failure), _) => Found::bad(failure, format!("{status} by {http}")),
        (None, Ok(size)) => Found::good((), format!("{status} by {http}, {size}")),
        (None, Err((failure, words))) => {
            let failure = failure.with_status(head.status);
            Found::bad(failure, format!("{status} by {http}, but {words}"))
        }
    }
}

/// A request that cannot be made, such as one with a `Host` that is none.
pub(crate) fn impossible(error: &http::Error) -> Found<()> {
    let failure = super::unsent(Cause::HttpRequestError);
    Found::bad(failure, escape::line(&error.to_string(), 120))
}
