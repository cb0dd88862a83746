//! A request that the gateway answers itself.

use std::net::IpAddr;

use axum::body::Body;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONNECTION, CONTENT_TYPE},
};
use seawall::{Cause, Failure, Processed, Reporter};

use crate::problem_document::problem_response;

/// The methods that services accept. Other methods, except `CONNECT` and `TRACE`, pass too.
const ALLOWED_METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// The status and the reason of a request that is not forwarded.
///
/// The reason contains nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    detail: &'static str,
    closes: bool,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, detail: &'static str) -> Self {
        Self { status, detail, closes: false }
    }

    pub(super) const fn bad_request(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Closes the connection after the response, because the end of the request is in doubt.
    pub(super) const fn and_close(self) -> Self {
        Self { closes: true, ..self }
    }

    /// Logs the refusal of a request that no other layer logs.
    pub(super) fn log(self, peer: Option<IpAddr>) {
        let Self { status, detail, .. } = self;
        let peer = peer.map(tracing::field::display);
        tracing::info!(client.address = peer, "refused with {status}: {detail}");
    }

    /// Returns the response to the caller: a problem document (RFC 9457), unless the status has no
    /// content.
    pub(super) fn into_response(self) -> Response<Body> {
        let Self { status, detail, closes } = self;
        let is_error = status.is_client_error() || status.is_server_error();
        let mut response = problem_response(status, detail);
        if is_error {
            // The logging layer logs this cause.
            let failure = Failure::new(Cause::HttpRequestError)
                .with_reporter(Reporter::Local)
                .with_processed(Processed::No);
            response.extensions_mut().insert(failure);
        } else {
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(CONTENT_TYPE);
        }
        let headers = response.headers_mut();
        if matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NO_CONTENT) {
            headers.insert(ALLOW, ALLOWED_METHODS);
        }
        if closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
