//! The response that replaces an error.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response,
    header::{
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{
    accept::Format,
    format::{grpc, html, problem_json, text},
    proxy_status,
    reply::ErrorReply,
    request_info::RequestInfo,
    settings::Settings,
};
use crate::headers;

pub(super) static X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Builds the response in the format that the request accepts.
pub(super) fn build(
    reply: &ErrorReply,
    settings: &Settings,
    request: &RequestInfo,
) -> Response<Option<Bytes>> {
    let mut response = if request.is_grpc {
        grpc::render(reply)
    } else {
        negotiated_response(reply, settings, request)
    };
    let mut failure = reply.failure.with_status(response.status());
    if reply.is_exhausted() {
        failure = failure.with_retry_hint(Some(false));
    }
    // A logging layer around this one would otherwise have only the status.
    response.extensions_mut().insert(failure);
    if let Some(report) = &reply.retry_report {
        response.extensions_mut().insert(report.clone());
    }
    let map = response.headers_mut();
    headers::insert(map, &CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let text = reply.text.as_deref();
    if let Some(value) = proxy_status::with_error(settings.name(), &reply.failure, text) {
        headers::insert(map, &proxy_status::PROXY_STATUS, value);
    }
    response
}

fn negotiated_response(
    reply: &ErrorReply,
    settings: &Settings,
    request: &RequestInfo,
) -> Response<Option<Bytes>> {
    let format = request.format();
    let id = request.request_id();
    let body = Bytes::from(match format {
        Format::ProblemJson => problem_json::render(reply, id),
        Format::Html => html::render(reply, settings.name(), id),
        Format::Text => text::render(reply, settings.name(), id),
    });
    let length = HeaderValue::from(body.len());
    let mut response = Response::new((!request.is_head).then_some(body));
    *response.status_mut() = reply.status;
    let map = response.headers_mut();
    headers::insert(map, &CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    // Set explicitly, because the server cannot compute it from the empty body of a HEAD response.
    headers::insert(map, &CONTENT_LENGTH, length);
    headers::insert(map, &VARY, HeaderValue::from_static("accept"));
    headers::insert(map, &X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if format == Format::Html {
        let policy = HeaderValue::from_static(html::CONTENT_SECURITY_POLICY_VALUE);
        headers::insert(map, &CONTENT_SECURITY_POLICY, policy);
    }
    insert_retry_headers(reply, map);
    response
}

fn insert_retry_headers(reply: &ErrorReply, map: &mut HeaderMap) {
    if let Some(seconds) = reply.retry_after_secs() {
        headers::insert(map, &RETRY_AFTER, HeaderValue::from(seconds));
    }
    if reply.is_exhausted() {
        headers::insert(map, &X_SHOULD_RETRY, HeaderValue::from_static("false"));
    }
}
