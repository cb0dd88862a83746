//! Sends the request and reads the response to the end of its body.

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
    Connection,
    body::read_body,
    client::{self, SendRequest},
    peer, probe, tls,
};
use crate::{
    escape,
    report::{Peer, ResponseSummary, StepResult},
    secrets::Secrets,
    server_headers,
    target::{self, Target},
    wire::{SharedRecord, Wire},
};

pub(crate) use super::client::Io;

/// The maximum wait for the error that ended a connection.
const CONNECTION_ERROR_WAIT: Duration = Duration::from_millis(200);

pub(crate) async fn exchange(
    io: Box<dyn Io>,
    is_http2: bool,
    request: Request<client::Body>,
    connection: Connection<'_>,
    response: &mut Option<ResponseSummary>,
) -> StepResult<()> {
    let (io, record) = Wire::new(io);
    let step = send(io, &record, is_http2, request, connection, response).await;
    let Err(failure) = step.value else { return step };
    let record = record.get();
    let Connection { peer, target, limit, .. } = connection;
    // Such a server responds to a plain request with 400, or not at all.
    let may_be_tls = record.received == 0 && record.sent > 0
        || response.as_ref().is_some_and(|response| response.status == 400);
    if may_be_tls && !target.is_tls() && probe::speaks_tls(peer, &target.host, limit).await {
        return peer::speaks_tls(failure, &step.detail);
    }
    step
}

async fn send(
    io: Wire<Box<dyn Io>>,
    record: &SharedRecord,
    is_http2: bool,
    request: Request<client::Body>,
    connection: Connection<'_>,
    response: &mut Option<ResponseSummary>,
) -> StepResult<()> {
    let Connection { limit, secrets, .. } = connection;
    let (sender, task) = match timeout(limit, SendRequest::handshake(io, is_http2)).await {
        Ok(Ok(handshake)) => handshake,
        Ok(Err(error)) => return exchange_failed(&error, limit, is_http2, record, secrets),
        Err(_) => {
            let failure = Failure::new(Cause::HttpResponseTimeout).with_reporter(Reporter::Local);
            return StepResult::failed(failure, format!("no response within {limit:?}"));
        }
    };
    match client::service(sender, limit).oneshot(request).await {
        Ok(received) => read_response(received, record, connection, response).await,
        Err(error) => match timeout(CONNECTION_ERROR_WAIT, task).await {
            Ok(Ok(Err(connection_error))) => {
                tls::tls_error_after_handshake(&connection_error, classify_error(&*error))
                    .map_or_else(
                        || exchange_failed(&*error, limit, is_http2, record, secrets),
                        |(failure, detail)| StepResult::failed(failure, detail),
                    )
            }
            _ => exchange_failed(&*error, limit, is_http2, record, secrets),
        },
    }
}

/// Builds the request. Its URI has absolute form for HTTP/2 and origin form for HTTP/1.1.
pub(crate) fn build_request(
    target: &Target,
    method: &Method,
    headers: &HeaderMap,
    is_http2: bool,
) -> http::Result<Request<client::Body>> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = host.map_or_else(|| target.authority(), ToOwned::to_owned);
    let query = target.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", target.url.path());
    let uri = if is_http2 { format!("{}://{authority}{path}", target.url.scheme()) } else { path };
    let mut request = Request::builder().method(method).uri(uri).body(client::Body::new())?;
    let request_headers = request.headers_mut();
    request_headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    request_headers.insert(USER_AGENT, HeaderValue::from_static("seawall-diagnose"));
    if target.has_userinfo() {
        let credentials = target::userinfo_bytes(&target.url);
        let value = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        let mut value = HeaderValue::from_str(&value)?;
        value.set_sensitive(true);
        request_headers.insert(AUTHORIZATION, value);
    }
    for name in headers.keys() {
        request_headers.remove(name);
    }
    for (name, value) in headers {
        request_headers.append(name, value.clone());
    }
    request_headers.remove(HOST);
    if !is_http2 {
        request_headers.insert(HOST, HeaderValue::from_str(&authority)?);
    }
    Ok(request)
}

fn exchange_failed(
    error: &(dyn std::error::Error + 'static),
    limit: Duration,
    is_http2: bool,
    record: &SharedRecord,
    secrets: &Secrets,
) -> StepResult<()> {
    let failure = classify_error(error);
    if let Some((failure, detail)) = tls::tls_error_after_handshake(error, failure) {
        return StepResult::failed(failure, detail);
    }
    if let Some(step) = peer::http_result(&record.get(), failure, is_http2, secrets) {
        return step;
    }
    let detail = match failure.cause() {
        Cause::ConnectionTerminated => "the connection was closed without a response".into(),
        Cause::HttpResponseTimeout => format!("no response within {limit:?}"),
        Cause::HttpProtocolError => "the server's response is not HTTP".into(),
        Cause::HttpResponseHeaderSectionSize => "the response headers are too large".into(),
        _ => escape::single_line(&secrets.redact(&error.to_string()), 120),
    };
    StepResult::failed(failure, detail)
}

async fn read_response<B>(
    response: Response<B>,
    record: &SharedRecord,
    connection: Connection<'_>,
    summary: &mut Option<ResponseSummary>,
) -> StepResult<()>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let Connection { limit, secrets, .. } = connection;
    let failure = client::classify_response(&response);
    let (head, body) = response.into_parts();
    let reason = head.status.canonical_reason().map(|reason| format!(" {reason}"));
    let mut status = format!("{}{}", head.status.as_u16(), reason.unwrap_or_default());
    let version = match head.version {
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    };
    let summary = summary.insert(ResponseSummary {
        status: head.status.as_u16(),
        headers: server_headers::extract(&head.headers, secrets),
        body_excerpt: String::new(),
        evidence: head.extensions.get().cloned(),
    });
    let content_type = head.headers.get(CONTENT_TYPE);
    let is_event_stream =
        content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    if is_event_stream && failure.is_none() {
        status.push_str(", an event stream");
        return StepResult::ok((), format!("{status} over {version}"));
    }
    let mut excerpt = Vec::new();
    let body_result = read_body(body, limit, &mut excerpt).await;
    if failure.is_some() {
        // Many error pages quote the request.
        let text = secrets.redact(&String::from_utf8_lossy(&excerpt));
        summary.body_excerpt = escape::html_text(&text, 160);
    }
    match (failure, body_result) {
        (Some(failure), _) => StepResult::failed(failure, format!("{status} over {version}")),
        (None, Ok(size)) => StepResult::ok((), format!("{status} over {version}, {size}")),
        (None, Err((failure, detail))) => {
            let failure = failure.with_status(head.status);
            let end = record.get().end.filter(|_| failure.cause() == Cause::HttpResponseIncomplete);
            let by = end.map(|end| format!(": the server {}", peer::verb(end)));
            let detail = format!("{status} over {version}, but {detail}{}", by.unwrap_or_default());
            StepResult::failed(failure, detail).with_peer(Peer { protocol: None, end })
        }
    }
}

/// Returns the failure of a request that cannot be built, for example with an invalid `Host`.
pub(crate) fn invalid_request(error: &http::Error) -> StepResult<()> {
    let failure = super::failure_before_request(Cause::HttpRequestError);
    StepResult::failed(failure, escape::single_line(&error.to_string(), 120))
}
