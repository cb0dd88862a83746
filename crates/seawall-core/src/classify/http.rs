use std::error::Error;

use http::{HeaderMap, Response, StatusCode};

use super::{Classify, classify_error, headers};
use crate::failure::{Cause, Failure, Processed};

/// Classifies HTTP responses by their head, and errors by their chain of sources.
///
/// | status | cause |
/// |---|---|
/// | below 400 | no failure |
/// | 408 | [`RequestTimeout`](Cause::RequestTimeout) |
/// | 409 | [`Conflict`](Cause::Conflict) |
/// | 429 | [`RateLimited`](Cause::RateLimited) |
/// | other 4xx | [`ClientError`](Cause::ClientError) |
/// | 502 | [`BadGateway`](Cause::BadGateway) |
/// | 503, 529 | [`Overloaded`](Cause::Overloaded) |
/// | 504 | [`GatewayTimeout`](Cause::GatewayTimeout) |
/// | other 5xx, and above | [`OriginError`](Cause::OriginError) |
///
/// The reporter of a response is [`Unknown`](crate::Reporter::Unknown) and processed is
/// [`Maybe`](crate::Processed::Maybe), or of a 429 [`Unlikely`](crate::Processed::Unlikely): a status alone proves neither. `Retry-After`, `retry-after-ms` and
/// `x-should-retry` are read too: see [`retry_after`](super::retry_after) and [`should_retry`](super::should_retry).
///
/// A [`Failure`] in the response's extensions, from an inner layer, takes precedence.
/// Errors go through [`classify_error`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HttpClassifier {}

impl HttpClassifier {
    /// Creates a classifier without settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl<B> Classify<Response<B>> for HttpClassifier {
    #[inline]
    fn classify(&self, outcome: Result<&Response<B>, &(dyn Error + 'static)>) -> Option<Failure> {
        match outcome {
            Ok(response) if response.status().as_u16() < 400 => None,
            Ok(response) => Some(classify_response(response)),
            Err(error) => Some(classify_error(error)),
        }
    }
}

/// Returns the failure of a response with a status of 400 or more.
#[must_use]
pub fn classify_response<B>(response: &Response<B>) -> Failure {
    if let Some(failure) = response.extensions().get::<Failure>() {
        return *failure;
    }
    classify_head(response.status(), response.headers())
}

/// Returns the failure that the head alone shows.
pub(crate) fn classify_head(status: StatusCode, headers: &HeaderMap) -> Failure {
    // RFC 6585 §4: rejected for the number of requests, which is known before this one is processed.
    let unlikely = status == StatusCode::TOO_MANY_REQUESTS;
    let processed = if unlikely { Processed::Unlikely } else { Processed::Maybe };
    Failure::new(cause_from_status(status))
        .with_status(status)
        .with_processed(processed)
        .with_retry_after(headers::retry_after(headers))
        .with_retry_hint(headers::should_retry(headers))
}

fn cause_from_status(status: StatusCode) -> Cause {
    match status.as_u16() {
        // Classified only if the retry layer is configured to retry the status.
        0..400 => Cause::Unknown,
        408 => Cause::RequestTimeout,
        409 => Cause::Conflict,
        429 => Cause::RateLimited,
        400..500 => Cause::ClientError,
        502 => Cause::BadGateway,
        // LLM APIs respond 529 when overloaded. It is not registered with IANA.
        503 | 529 => Cause::Overloaded,
        504 => Cause::GatewayTimeout,
        _ => Cause::OriginError,
    }
}
