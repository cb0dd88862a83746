//! The data recorded about one request and its response.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version, header,
};
use seawall_core::{
    Failure,
    attempts::{AttemptNumber, RetryReport, StopReason},
    fingerprint::Evidence,
    internal::{classify_grpc_status, is_plain_text},
};
use tokio::time::Instant;
use tracing::Span;

use super::{
    RequestHead,
    grpc::GrpcStatus,
    nesting::EnclosingLog,
    rejection::last_failure,
    settings::{Role, Settings},
};
use crate::{ReceivedTarget, RequestAttributes, sharded_arc::ShardedArc};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One request, from the call to the end of its response's body.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) settings: ShardedArc<Settings>,
    pub(super) started: Instant,
    pub(super) request: RequestRecord,
    /// Set when the response's head arrives.
    pub(super) response: Option<ResponseRecord>,
    /// Disabled unless the subscriber enables the span's level.
    pub(super) span: Span,
    pub(super) attributes: Option<RequestAttributes>,
    /// The server's log around this one, if there is one.
    pub(super) enclosing_log: Option<EnclosingLog>,
    /// Collects the calls of the logs inside this one, if it logs a server's failures.
    pub(super) inner_calls: Option<EnclosingLog>,
    /// Set while the inner service, its body or the classifier runs. Remains set after a panic.
    pub(super) is_running: bool,
}

/// The head of a request.
#[derive(Debug)]
pub(super) struct RequestRecord {
    pub(super) method: Method,
    /// On a server, the target as it was received.
    pub(super) uri: Uri,
    /// The URI of the upstream, if a gateway has replaced that of the request.
    upstream_uri: Option<Uri>,
    pub(super) version: Version,
    pub(super) id: Option<HeaderValue>,
    /// The `Host` header. Captured on a server only, because an HTTP/1.1 request has its host
    /// nowhere else.
    pub(super) host: Option<HeaderValue>,
    /// The attempt number, for a layer inside a `RetryLayer`.
    pub(super) attempt: Option<u32>,
    pub(super) details: Option<Box<RequestDetails>>,
}

/// The parts of a request that are captured only if the settings require them.
#[derive(Debug)]
pub(super) struct RequestDetails {
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) route: Option<String>,
    pub(super) headers: Option<HeaderMap>,
}

/// The head of a response, and the progress of its body.
#[derive(Debug)]
pub(super) struct ResponseRecord {
    pub(super) status: StatusCode,
    version: Version,
    /// The time from the call to the response's head.
    pub(super) time_to_headers: Duration,
    /// The length of the body, if the head specifies it. hyper's server stops reading there and
    /// does not poll for the end.
    content_length: Option<u64>,
    /// The number of bytes read so far.
    pub(super) body_bytes: u64,
    is_grpc: bool,
    pub(super) grpc_status: Option<Box<GrpcStatus>>,
    pub(super) details: Option<Box<ResponseDetails>>,
}

/// The parts of a response that most successes do not have.
#[derive(Debug, Default)]
pub(super) struct ResponseDetails {
    pub(super) failure: Option<Failure>,
    /// The failure of the last attempt before a success.
    pub(super) retried: Option<Failure>,
    /// The number of requests sent, including the first.
    pub(super) attempts: Option<u32>,
    /// The reason why retrying stopped.
    pub(super) stop_reason: Option<StopReason>,
    pub(super) evidence: Option<&'static str>,
    id: Option<HeaderValue>,
    pub(super) headers: Option<HeaderMap>,
    /// The first bytes of the body, at most [`Settings::max_failed_body_bytes`].
    pub(super) body: Option<Vec<u8>>,
}

impl Record {
    pub(super) fn new(settings: &ShardedArc<Settings>, head: RequestHead<'_>) -> Self {
        Self {
            settings: settings.clone(),
            started: Instant::now(),
            request: RequestRecord::new(settings, head),
            response: None,
            span: Span::none(),
            attributes: head.extensions().get().cloned(),
            enclosing_log: head.extensions().get().cloned(),
            inner_calls: settings.encloses_logs().then(EnclosingLog::default),
            is_running: false,
        }
    }

    /// Returns the protocol version of the request on a server, or of the response on a client.
    pub(super) fn version(&self) -> Option<Version> {
        match self.settings.role {
            Role::Server => Some(self.request.version),
            // A client's request only proposes a version.
            Role::Client => self.response.as_ref().map(|response| response.version),
        }
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        self.response.as_ref().map(|response| response.status)
    }

    /// Returns the URI of the upstream: that of a client's request, or the one that a gateway has
    /// set.
    pub(super) fn upstream_uri(&self) -> Option<&Uri> {
        match self.settings.role {
            Role::Client => Some(&self.request.uri),
            Role::Server => self.request.upstream_uri.as_ref(),
        }
    }

    /// Returns the id of the request, or else the id that the upstream set on a failed response.
    pub(super) fn request_id(&self) -> Option<&HeaderValue> {
        self.request.id.as_ref().or_else(|| self.response_details()?.id.as_ref())
    }

    pub(super) fn route(&self) -> Option<&str> {
        self.request.details.as_ref()?.route.as_deref()
    }

    pub(super) fn user_agent(&self) -> Option<&HeaderValue> {
        self.request.details.as_ref()?.user_agent.as_ref()
    }

    pub(super) fn request_headers(&self) -> Option<&HeaderMap> {
        self.request.details.as_ref()?.headers.as_ref()
    }

    pub(super) fn response_details(&self) -> Option<&ResponseDetails> {
        self.response.as_ref()?.details.as_deref()
    }
}

impl RequestRecord {
    fn new(settings: &Settings, head: RequestHead<'_>) -> Self {
        let headers = head.headers();
        let host_header = headers.get(header::HOST);
        let (uri, host, upstream_uri) = match settings.role {
            Role::Server => match head.extensions().get::<ReceivedTarget>() {
                Some(target) => (target.uri(), target.host(), Some(head.uri().clone())),
                None => (head.uri(), host_header, None),
            },
            Role::Client => (head.uri(), None, None),
        };
        Self {
            method: head.method().clone(),
            uri: uri.clone(),
            upstream_uri,
            version: head.version(),
            id: headers.get(&REQUEST_ID).cloned(),
            host: host.cloned(),
            attempt: head.extensions().get::<AttemptNumber>().map(|attempt| attempt.0.get()),
            details: RequestDetails::capture(settings, head),
        }
    }
}

impl RequestDetails {
    /// Captures the parts that the settings require. Returns `None` if there are none.
    fn capture(settings: &Settings, head: RequestHead<'_>) -> Option<Box<Self>> {
        let headers = head.headers();
        let user_agent =
            if settings.user_agent { headers.get(header::USER_AGENT).cloned() } else { None };
        let route = settings.route.0.as_ref().and_then(|route| route(head));
        let needs_headers =
            !headers.is_empty() && (!settings.headers.is_empty() || settings.is_curl_enabled());
        let headers = needs_headers.then(|| headers.clone());
        let is_empty = user_agent.is_none() && route.is_none() && headers.is_none();
        (!is_empty).then(|| Box::new(Self { user_agent, route, headers }))
    }
}

impl ResponseRecord {
    pub(super) fn new<B>(
        record: &Record,
        response: &Response<B>,
        failure: Option<Failure>,
    ) -> Self {
        let headers = response.headers();
        let is_grpc = crate::headers::is_grpc(headers);
        let grpc_status = if is_grpc { GrpcStatus::find(headers).map(Box::new) } else { None };
        // The classifier may not know gRPC.
        let failure = failure.or_else(|| {
            grpc_status.as_ref().and_then(|_| classify_grpc_status(response.status(), headers))
        });
        Self {
            status: response.status(),
            version: response.version(),
            time_to_headers: record.started.elapsed(),
            content_length: content_length(&record.request.method, response),
            body_bytes: 0,
            is_grpc,
            grpc_status,
            details: ResponseDetails::capture(&record.settings, response, failure),
        }
    }

    /// Counts the bytes of a data frame, and copies them if the body is to be logged.
    pub(super) fn add_data(&mut self, settings: &Settings, len: usize, chunk: &[u8]) {
        self.body_bytes += len as u64;
        if let Some(body) = self.details.as_mut().and_then(|details| details.body.as_mut()) {
            let remaining = settings.max_failed_body_bytes.saturating_sub(body.len());
            body.extend_from_slice(&chunk[..remaining.min(chunk.len())]);
        }
    }

    /// Records the status in the trailers of a gRPC response, which decides whether the call
    /// failed.
    pub(super) fn add_trailers(&mut self, trailers: &HeaderMap) {
        if !self.is_grpc {
            return;
        }
        self.grpc_status = GrpcStatus::find(trailers).map(Box::new);
        if let Some(failure) = classify_grpc_status(self.status, trailers) {
            self.details.get_or_insert_default().failure = Some(failure);
        }
    }

    /// Returns whether the body has reached its content length.
    pub(super) fn is_complete(&self) -> bool {
        self.content_length.is_some_and(|length| self.body_bytes >= length)
    }
}

impl ResponseDetails {
    fn capture<B>(
        settings: &Settings,
        response: &Response<B>,
        failure: Option<Failure>,
    ) -> Option<Box<Self>> {
        let (headers, extensions) = (response.headers(), response.extensions());
        let report = extensions.get::<RetryReport>();
        let failed_attempts = report.map_or(&[][..], RetryReport::failed_attempts);
        let failure = failure.map(|failure| last_failure(failure, failed_attempts));
        let evidence = extensions.get::<Evidence>().map(Evidence::summary);
        let has_details = failure.is_some() || report.is_some() || evidence.is_some();
        if !has_details && settings.headers.is_empty() {
            return None;
        }
        let captures_body =
            failure.is_some() && settings.max_failed_body_bytes > 0 && is_plain_text(headers);
        Some(Box::new(Self {
            failure,
            retried: failed_attempts.last().map(|it| *it.failure()).filter(|_| failure.is_none()),
            attempts: report.map(|report| report.attempts().get()),
            stop_reason: report.and_then(RetryReport::stop_reason),
            evidence,
            id: failure.and_then(|_| headers.get(&REQUEST_ID).cloned()),
            headers: (!settings.headers.is_empty()).then(|| headers.clone()),
            body: captures_body.then(Vec::new),
        }))
    }
}

/// Returns the length of a response's content, if its head specifies it.
fn content_length<B>(method: &Method, response: &Response<B>) -> Option<u64> {
    // RFC 9110 §6.4.1: such a response has no content. Its `Content-Length` describes another
    // response.
    let has_no_content = method == Method::HEAD
        || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if has_no_content {
        return Some(0);
    }
    // RFC 9110 §8.6: `Content-Length` is the length of the content.
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
