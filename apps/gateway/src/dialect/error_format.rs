//! The conversion of the gateway's own errors, which are problem documents (RFC 9457).

use axum::body::Body;
use futures_util::FutureExt;
use http::{
    HeaderValue, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::BodyExt;
use seawall::{Failure, Reporter};
use serde_json::Value;

use super::{Dialect, GatewayError};

/// Converts a problem document of the gateway to the format of a dialect, so that SDKs show its
/// text. Other responses, including problem documents of an upstream, are unchanged.
pub(crate) fn format_error(dialect: Dialect, response: Response<Body>) -> Response<Body> {
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes() == b"application/problem+json");
    let failure = response.extensions().get::<Failure>().copied();
    let Some(failure) = failure.filter(|it| is_problem && it.reporter() == Reporter::Local) else {
        return response;
    };
    let (mut head, body) = response.into_parts();
    // The gateway's own bodies are in memory, so they are ready at once.
    let document = match body.collect().now_or_never() {
        Some(Ok(body)) => body.to_bytes(),
        _ => return Response::from_parts(head, Body::empty()),
    };
    let problem: Value = serde_json::from_slice(&document).unwrap_or_default();
    let text = |name: &str| problem[name].as_str();
    let detail = text("detail").or(text("title")).unwrap_or_default().trim_end_matches('.');
    let message = match text("cause") {
        // The document has the cause alone, in words. People need the advice too.
        Some(_) => format!("seawall-gateway: {detail}. {}", failure.advice()),
        None => format!("seawall-gateway: {detail}."),
    };
    let error = GatewayError { status: head.status, message, cause: text("cause") };
    let body = dialect.error_body(&error).to_string();
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}
