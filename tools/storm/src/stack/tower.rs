//! tower 0.5: `Retry` with its budget, and `Timeout` per attempt and per call.
//!
//! tower has no default policy. This one follows the example in the docs of `tower::retry`.
//! `TpsBudget::default()` allows retries of 20 % of the calls and 10 per second, and successes
//! deposit in it. `ExponentialBackoffMaker::default()` starts at 50 ms, with jitter. The example
//! does not limit the number of retries, so this policy uses seawall's limit.

use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response};
use tower::{
    ServiceBuilder,
    retry::{
        Policy, RetryLayer,
        backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    timeout::TimeoutLayer,
    util::rng::HasherRng,
};

use super::{ATTEMPT_TIMEOUT, Body, CALL_TIMEOUT, Client, boxed, is_retryable};
use crate::upstream::Upstream;

pub(super) fn stack(upstream: Upstream) -> Client {
    // `ExponentialBackoffMaker::default()` with seeded random numbers.
    let (min, max) = (Duration::from_millis(50), Duration::from_millis(u64::MAX));
    let rng = HasherRng::with_hasher(BuildHasherDefault::default());
    let backoff = ExponentialBackoffMaker::new(min, max, 0.99, rng)
        .expect("the default values")
        .make_backoff();
    let policy = RetryPolicy { retries_left: 4, budget: Arc::new(TpsBudget::default()), backoff };
    boxed(
        ServiceBuilder::new()
            .layer(TimeoutLayer::new(CALL_TIMEOUT))
            .layer(RetryLayer::new(policy))
            .layer(TimeoutLayer::new(ATTEMPT_TIMEOUT))
            .service(upstream),
    )
}

#[derive(Clone)]
struct RetryPolicy {
    retries_left: u32,
    budget: Arc<TpsBudget>,
    backoff: ExponentialBackoff<HasherRng<BuildHasherDefault<DefaultHasher>>>,
}

impl<B, E> Policy<Request<Body>, Response<B>, E> for RetryPolicy {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        outcome: &mut Result<Response<B>, E>,
    ) -> Option<Self::Future> {
        if outcome.as_ref().is_ok_and(|response| !is_retryable(response.status())) {
            self.budget.deposit();
            return None;
        }
        self.retries_left = self.retries_left.checked_sub(1)?;
        self.budget.withdraw().then(|| self.backoff.next_backoff())
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}
