//! The response in place of an error.

use bytes::Bytes;
use http::{
    HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::json;

use super::proxy_status;
use crate::Failure;

pub(super) fn response(name: &str, failure: &Failure, with_body: bool) -> Response<Option<Bytes>> {
    let status = failure.cause().gateway_status();
    // RFC 9457 §4.2.1: with `about:blank` the title is the status's own phrase.
    let problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": failure.cause().as_str().replace('_', " "),
        "cause": failure.cause().as_str(),
    });
    let body = with_body.then(|| Bytes::from(problem.to_string()));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(value) = proxy_status::value(name, failure) {
        headers.insert("proxy-status", value);
    }
    if let Some(wait) = failure.retry_after() {
        let seconds = wait
            .as_secs()
            .saturating_add(u64::from(wait.subsec_nanos() > 0));
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
