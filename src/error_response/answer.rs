//! The response in place of an error.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{
    accept::Format, asked::Asked, grpc, page, plain, problem, proxy_status, settings::Settings,
    told,
};
use crate::{Failure, classify::classify_error};

pub(super) static X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What is known of an error that is to be answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    failure: Failure,
    status: StatusCode,
    retry_after: Option<Duration>,
    /// It was tried as often as it should be: nobody before us should do so again.
    gave_up: bool,
    /// The error's text, if it is to be disclosed.
    text: Option<String>,
}

/// What a gateway may say in its own name: a 408 would blame our caller for being slow, a 202 would call it a success.
#[cfg(feature = "retry")]
fn is_upstreams_own(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

impl Answer {
    pub(super) fn to(error: &(dyn Error + 'static), settings: &Settings) -> Self {
        let failure = classify_error(error);
        let answer = Self {
            failure,
            status: failure.cause().gateway_status(),
            retry_after: failure.retry_after(),
            gave_up: false,
            text: settings.disclose.then(|| told::text(error)),
        };
        #[cfg(feature = "retry")]
        let answer = answer.after_retries(error);
        answer
    }

    /// A retry that ended in a refusal of our own, after the upstream had answered: its answer says more than ours.
    #[cfg(feature = "retry")]
    fn after_retries(self, error: &(dyn Error + 'static)) -> Self {
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
        let answer = Self { gave_up: true, ..self };
        match gave_up.last_response() {
            // Unless that was no error, such as a 202 that was to be retried: then ours is the only one.
            Some(last) if refused && is_upstreams_own(last.status()) => Self {
                failure: answer.failure.with_status(last.status()),
                status: last.status(),
                retry_after: retry_after(last.headers()).or(answer.retry_after),
                ..answer
            },
            _ => answer,
        }
    }

    pub(super) const fn failure(&self) -> &Failure {
        &self.failure
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) const fn gave_up(&self) -> bool {
        self.gave_up
    }

    pub(super) const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// How long to wait, in whole seconds, rounded up.
    pub(super) fn seconds(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(super) fn response(&self, settings: &Settings, asked: &Asked) -> Response<Option<Bytes>> {
        let mut response =
            if asked.is_grpc { grpc::response(self) } else { self.negotiated(settings, asked) };
        let mut failure = self.failure.with_status(response.status());
        if self.gave_up {
            failure = failure.with_retry_hint(Some(false));
        }
        // For logging around this layer, which would else know no more than the status.
        response.extensions_mut().insert(failure);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = proxy_status::answered(settings.name(), &self.failure, self.text());
        if let Some(value) = status {
            headers.insert(&proxy_status::PROXY_STATUS, value);
        }
        response
    }

    fn negotiated(&self, settings: &Settings, asked: &Asked) -> Response<Option<Bytes>> {
        let format = asked.format();
        let id = asked.request_id();
        let body = Bytes::from(match format {
            Format::Problem => problem::problem(self, id),
            Format::Html => page::page(self, settings, id),
            Format::Plain => plain::plain(self, settings, id),
        });
        let length = HeaderValue::from(body.len());
        let mut response = Response::new((!asked.is_head).then_some(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        // Said here and not left to the server, which cannot know it when the request is a HEAD.
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(VARY, HeaderValue::from_static("accept"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if format == Format::Html {
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::POLICY));
        }
        self.when_to_retry(headers);
        response
    }

    fn when_to_retry(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.gave_up {
            headers.insert(&X_SHOULD_RETRY, HeaderValue::from_static("false"));
        }
    }
}
