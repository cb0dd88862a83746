//! The comparison of a call with the expected response.

use http::Method;
use seawall::{Cause, Failure, Processed, Product, Reporter};

use crate::{
    client::CallResult,
    expected::{BodyEnd, ExpectedResponse, GENERAL_CAUSES, Sender},
    log_events::CallEvent,
};

/// One call through one gateway.
pub(crate) struct Case<'a> {
    pub(crate) product: Product,
    pub(crate) expected: &'a ExpectedResponse,
    pub(crate) method: &'a Method,
    /// The status without layers, and the number of requests that the origin received.
    pub(crate) bare: (Option<u16>, u64),
    /// The result through the stack.
    pub(crate) result: &'a CallResult,
    /// The number of requests that the origin received through the stack.
    pub(crate) received: u64,
    pub(crate) events: &'a [CallEvent],
}

/// The statuses for which `RetryLayer` retries a GET.
const RETRYABLE_STATUSES: [u16; 5] = [429, 500, 502, 503, 504];

impl Case<'_> {
    /// Describes each deviation.
    pub(crate) fn deviations(&self) -> Vec<String> {
        let Self { expected, method, result, bare, .. } = self;
        let mut deviations = Vec::new();
        let mut check = |is_correct: bool, deviation: String| {
            if !is_correct {
                deviations.push(format!("{} {method}: {deviation}", expected.scenario));
            }
        };
        let (status, origin_requests) = (expected.status, expected.origin_requests);
        let is_closed = self.is_closed();
        check(
            result.status == status || is_closed,
            format!("expected status {status:?}, found {:?}", result.status),
        );
        check(bare.0 == status, format!("expected bare status {status:?}, found {:?}", bare.0));
        check(
            bare.1 == origin_requests,
            format!("expected {origin_requests} requests at the origin, found {}", bare.1),
        );

        let is_retried =
            *method == Method::GET && status.is_none_or(|it| RETRYABLE_STATUSES.contains(&it));
        let sent = if is_retried { 5 } else { 1 };
        check(result.sent == sent, format!("expected {sent} sent requests, found {}", result.sent));
        let received = origin_requests * sent as u64;
        check(
            self.received == received,
            format!(
                "expected {received} requests of the stack at the origin, found {}",
                self.received
            ),
        );

        let failure = result.failure;
        check(self.is_cause_correct(failure), format!("unexpected cause {failure:?}"));
        check(self.is_reporter_correct(failure), format!("unexpected reporter {failure:?}"));
        check(self.is_processed_correct(failure), format!("unexpected processed {failure:?}"));
        check(self.is_body_correct(), format!("unexpected body {:?}", result.body));
        check(self.are_headers_correct(), format!("unexpected headers {:?}", result.headers));
        check(self.is_event_correct(), format!("unexpected events {:?}", self.events));
        deviations
    }

    /// Returns true if the gateway closed a reused connection instead of responding.
    fn is_closed(&self) -> bool {
        self.expected.only_on_new && self.result.status.is_none()
    }

    fn is_cause_correct(&self, failure: Option<Failure>) -> bool {
        let Some(cause) = failure.map(|it| it.cause()) else {
            return self.expected.causes.is_empty();
        };
        if self.is_closed() {
            return cause == Cause::ConnectionTerminated;
        }
        let causes = self.expected.causes;
        // A gateway's response with one possible cause must be recognized. An origin's response is
        // classified only by its status.
        let is_specific = causes.len() == 1 && self.expected.sender == Sender::Gateway;
        !causes.is_empty()
            && (causes.contains(&cause) || !is_specific && GENERAL_CAUSES.contains(&cause))
    }

    fn is_reporter_correct(&self, failure: Option<Failure>) -> bool {
        let Some(reporter) = failure.map(|it| it.reporter()) else { return true };
        match (self.result.status, self.expected.sender) {
            (None, _) => reporter == Reporter::Local,
            (Some(_), Sender::Gateway) => reporter == Reporter::Gateway(self.product),
            (Some(_), Sender::Origin) => matches!(reporter, Reporter::Origin | Reporter::Unknown),
        }
    }

    /// `No` requires a local proof, but this process sends the request in each scenario.
    fn is_processed_correct(&self, failure: Option<Failure>) -> bool {
        match failure.map(|it| it.processed()) {
            Some(Processed::No) => false,
            Some(Processed::Unlikely) => self.expected.implies_not_sent,
            _ => true,
        }
    }

    fn is_body_correct(&self) -> bool {
        let origin_body = match self.expected.status {
            Some(200) => "ok",
            _ => "failed on purpose",
        };
        match (&self.result.body, self.expected.body, self.expected.sender) {
            (Ok(body), BodyEnd::Complete, Sender::Origin) => body == origin_body,
            (Ok(_), BodyEnd::Complete, Sender::Gateway) => true,
            (Ok(body), BodyEnd::TruncatedUndetected, _) => body != origin_body,
            (Err(failure), BodyEnd::Truncated, _) => {
                failure.cause() == Cause::HttpResponseIncomplete
            }
            _ => false,
        }
    }

    /// Returns true if an error response of the origin keeps its request ID and `Retry-After`.
    fn are_headers_correct(&self) -> bool {
        let is_from_origin =
            self.expected.sender == Sender::Origin && self.result.status >= Some(400);
        let has_retry_after = matches!(self.expected.scenario, "origin-429" | "origin-503-later");
        !is_from_origin
            || self.result.headers.contains_key("x-request-id")
                && self.result.headers.contains_key("retry-after") == has_retry_after
                && self
                    .result
                    .failure
                    .is_some_and(|it| it.retry_after().is_some() == has_retry_after)
    }

    /// Returns true if the call emitted one event with the cause, however many requests it sent.
    fn is_event_correct(&self) -> bool {
        let failure = self.result.failure.or(self.result.body.as_ref().err().copied());
        let [event] = self.events else { return false };
        event.cause.as_deref() == failure.map(|it| it.cause().as_str())
    }
}
