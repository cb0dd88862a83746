//! The response in place of an error.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::json;

use super::proxy_status;
use crate::{Failure, classify::classify_error};

/// What is known of an error that is to be answered.
#[derive(Debug)]
pub(super) struct Answer {
    failure: Failure,
    status: StatusCode,
    retry_after: Option<Duration>,
}

impl Answer {
    pub(super) const fn new(failure: Failure) -> Self {
        let status = failure.cause().gateway_status();
        Self { failure, status, retry_after: failure.retry_after() }
    }

    pub(super) fn to(error: &(dyn Error + 'static)) -> Self {
        let answer = Self::new(classify_error(error));
        #[cfg(feature = "retry")]
        let answer = answer.or_last_word(error);
        answer
    }

    /// A retry that ended in a refusal of our own, after the upstream had answered: its answer says more than ours.
    #[cfg(feature = "retry")]
    fn or_last_word(self, error: &(dyn Error + 'static)) -> Self {
        use crate::{
            attempts::{GaveUp, Stop},
            classify::retry_after,
            find_source,
        };

        let Some(gave_up) = find_source::<GaveUp>(error) else {
            return self;
        };
        let refused = match gave_up.stop() {
            Stop::CircuitOpen | Stop::Shed | Stop::NotReady => true,
            // Unless it was an error that there was no time to try again for: then that is the last word.
            Stop::DeadlineTooNear => self.failure.status().is_some(),
            _ => false,
        };
        match gave_up.last_response() {
            Some(last) if refused => Self {
                failure: self.failure.with_status(last.status()),
                status: last.status(),
                retry_after: retry_after(last.headers()).or(self.retry_after),
            },
            _ => self,
        }
    }

    pub(super) fn response(&self, name: &str, with_body: bool) -> Response<Option<Bytes>> {
        let cause = self.failure.cause().as_str();
        // RFC 9457 §4.2.1: with `about:blank` the title is the status's own phrase.
        let problem = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": cause.replace('_', " "),
            "cause": cause,
        });
        let body = with_body.then(|| Bytes::from(problem.to_string()));
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        // For logging around this layer, which would else know no more than the status.
        response.extensions_mut().insert(self.failure.with_status(self.status));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(value) = proxy_status::value(name, &self.failure) {
            headers.insert("proxy-status", value);
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
