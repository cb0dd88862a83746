use std::error::Error;

use http::{HeaderMap, Response, StatusCode};

use super::{
    Classify, HttpClassifier,
    grpc_status::cause_from_code,
    headers::{pushback, retry_after},
    http::classify_response,
};
use crate::failure::Failure;

/// Classifies gRPC responses by `grpc-status`, where it stands in the head, and by HTTP status otherwise.
///
/// A gRPC failure arrives with HTTP status 200. When the server answers with an error and no message, its status
/// stands in the head ("trailers-only") and is classified. A status in trailers, after messages, is not: by then the response has
/// begun.
///
/// | `grpc-status` | cause |
/// |---|---|
/// | 0 `OK` | no failure |
/// | 1 `CANCELLED` | [`Cancelled`](crate::Cause::Cancelled) |
/// | 4 `DEADLINE_EXCEEDED` | [`HttpResponseTimeout`](crate::Cause::HttpResponseTimeout) |
/// | 8 `RESOURCE_EXHAUSTED` | [`RateLimited`](crate::Cause::RateLimited) |
/// | 10 `ABORTED` | [`Conflict`](crate::Cause::Conflict) |
/// | 14 `UNAVAILABLE` | [`DestinationUnavailable`](crate::Cause::DestinationUnavailable) |
/// | 3, 5, 6, 7, 9, 11, 16: the request is at fault | [`ClientError`](crate::Cause::ClientError) |
/// | 2, 12, 13, 15: the server is | [`OriginError`](crate::Cause::OriginError) |
/// | any other value | [`Unknown`](crate::Cause::Unknown) |
///
/// `grpc-retry-pushback-ms` (gRFC A6) is the retry hint of the server: a wait in milliseconds; a negative or malformed value forbids
/// a retry. Without it, the wait of a `google.rpc.RetryInfo` in `grpc-status-details-bin` counts, or else that of
/// [`retry_after`](super::retry_after). A [`Failure`] in the extensions of a response with a status of failure, from an inner layer, takes precedence. Errors go through [`classify_error`](super::classify_error).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GrpcClassifier {}

impl GrpcClassifier {
    /// Creates a classifier without settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl<B> Classify<Response<B>> for GrpcClassifier {
    fn classify(&self, outcome: Result<&Response<B>, &(dyn Error + 'static)>) -> Option<Failure> {
        let Ok(response) = outcome else {
            return HttpClassifier::new().classify(outcome);
        };
        let headers = response.headers();
        match headers.get("grpc-status") {
            // A failure in the extensions, from an inner layer, is more specific than the status.
            Some(_) => {
                let failure = classify_grpc_status(response.status(), headers)?;
                Some(response.extensions().get().copied().unwrap_or(failure))
            }
            None if response.status().as_u16() >= 400 => Some(classify_response(response)),
            None => None,
        }
    }
}

/// Returns the failure that `grpc-status` reports in the head of a response or in its trailers.
#[must_use]
pub fn classify_grpc_status(status: StatusCode, headers: &HeaderMap) -> Option<Failure> {
    let code = headers.get("grpc-status")?;
    let failure = Failure::new(cause_from_code(code.as_bytes())?).with_status(status);
    Some(with_wait(failure, headers))
}

/// Adds the requested wait. A valid pushback requests a retry, and a negative or malformed one forbids it (gRFC A6, "Pushback").
fn with_wait(failure: Failure, headers: &HeaderMap) -> Failure {
    let has_pushback = headers.contains_key("grpc-retry-pushback-ms");
    let hint = has_pushback.then(|| pushback(headers).is_some());
    let wait = if hint == Some(false) { None } else { retry_after(headers) };
    failure.with_retry_after(wait).with_retry_hint(hint)
}
