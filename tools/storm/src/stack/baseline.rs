//! No protection, and a simple retry.

use std::time::Duration;

use http::{Request, Response};
use tower::{
    ServiceBuilder,
    retry::{Policy, RetryLayer},
    timeout::TimeoutLayer,
};

use super::{ATTEMPT_TIMEOUT, Body, Client, boxed, is_retryable};
use crate::upstream::Upstream;

pub(super) fn none(upstream: Upstream) -> Client {
    boxed(upstream)
}

/// `Retry(total=3, backoff_factor=1)` around `timeout=1`: waits of 0, 2 and 4 s, and no call
/// timeout.
pub(super) fn naive(upstream: Upstream) -> Client {
    boxed(
        ServiceBuilder::new()
            .layer(RetryLayer::new(NaiveRetry { retries: 0 }))
            .layer(TimeoutLayer::new(ATTEMPT_TIMEOUT))
            .service(upstream),
    )
}

#[derive(Clone)]
struct NaiveRetry {
    retries: u32,
}

impl<B, E> Policy<Request<Body>, Response<B>, E> for NaiveRetry {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        outcome: &mut Result<Response<B>, E>,
    ) -> Option<Self::Future> {
        let failed = outcome.as_ref().map_or(true, |response| is_retryable(response.status()));
        if !failed || self.retries == 3 {
            return None;
        }
        self.retries += 1;
        let seconds = if self.retries == 1 { 0 } else { 1 << (self.retries - 1) };
        Some(tokio::time::sleep(Duration::from_secs(seconds)))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}
