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

pub(super) static X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Builds the response in the format that the request asks for.
pub(super) fn build(
    reply: &ErrorReply,
    settings: &Settings,
    request: &RequestInfo,
) -> Response<Option<Bytes>> {
    let mut response =
        if request.is_grpc { grpc::response(reply) } else { negotiated(reply, settings, request) };
    let mut failure = reply.failure.with_status(response.status());
    if reply.gave_up {
        failure = failure.with_retry_hint(Some(false));
    }
    // For a log around this layer, which would otherwise know the status only.
    response.extensions_mut().insert(failure);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let text = reply.text.as_deref();
    if let Some(value) = proxy_status::with_error(settings.name(), &reply.failure, text) {
        headers.insert(&proxy_status::PROXY_STATUS, value);
    }
    response
}

fn negotiated(
    reply: &ErrorReply,
    settings: &Settings,
    request: &RequestInfo,
) -> Response<Option<Bytes>> {
    let format = request.format();
    let id = request.request_id();
    let body = Bytes::from(match format {
        Format::ProblemJson => problem_json::problem(reply, id),
        Format::Html => html::page(reply, settings.name(), id),
        Format::Text => text::text(reply, settings.name(), id),
    });
    let length = HeaderValue::from(body.len());
    let mut response = Response::new((!request.is_head).then_some(body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    // The server cannot know the length of the body that a HEAD does not get.
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if format == Format::Html {
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(html::CONTENT_SECURITY_POLICY_VALUE),
        );
    }
    insert_retry_headers(reply, headers);
    response
}

fn insert_retry_headers(reply: &ErrorReply, headers: &mut HeaderMap) {
    if let Some(seconds) = reply.retry_after_secs() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if reply.gave_up {
        headers.insert(&X_SHOULD_RETRY, HeaderValue::from_static("false"));
    }
}
