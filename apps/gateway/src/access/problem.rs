//! The responses to refused requests.

use std::time::Duration;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};

use seawall::{Cause, Failure, Processed, Reporter};

use crate::{forward::GATEWAY_NAME, problem_document::problem_response};

/// A refusal in the format of RFC 9457.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: &'static str,
    retry_after: Option<Duration>,
    challenges: &'static [&'static str],
}

impl Problem {
    pub(crate) const fn bad_request(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) const fn not_found(detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) const fn conflict(detail: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(crate) const fn forbidden(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// The request has no valid credentials. `challenges` are the accepted schemes.
    pub(crate) const fn unauthorized(
        detail: &'static str,
        challenges: &'static [&'static str],
    ) -> Self {
        Self { challenges, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    pub(crate) const fn unavailable(detail: &'static str, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// The address of the client sent too many wrong tokens.
    pub(super) const fn too_many_wrong_tokens(retry_after: Duration) -> Self {
        let detail = "Too many wrong tokens came from this address.";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    const fn new(status: StatusCode, detail: &'static str) -> Self {
        Self { status, detail, retry_after: None, challenges: &[] }
    }
}

impl Problem {
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) const fn detail(&self) -> &'static str {
        self.detail
    }

    /// Returns the response to a request for an upstream, which names the gateway as its source
    /// (RFC 9209).
    pub(super) fn into_proxy_response(self) -> Response {
        let mut response = self.into_response();
        let status = format!("{GATEWAY_NAME};error=http_request_denied");
        if let Ok(status) = status.try_into() {
            response.headers_mut().insert("proxy-status", status);
        }
        let failure = Failure::new(Cause::HttpRequestDenied)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::No);
        response.extensions_mut().insert(failure);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail, retry_after, challenges } = self;
        let mut response = problem_response(status, detail);
        let headers = response.headers_mut();
        if status.is_client_error() {
            // SDKs repeat a 429 otherwise, and each repetition would be one more wrong token.
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        for challenge in challenges {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = retry_after {
            // Rounds up, because an earlier request would be refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
