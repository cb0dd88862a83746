//! tower 0.5: `Retry` and its budget, `Timeout` for an attempt and for the call.
//!
//! tower has no default policy. This one follows the example in the docs of `tower::retry`: `TpsBudget::default()` (20 %
//! of calls and 10 a second), in which successes deposit, and `ExponentialBackoffMaker::default()` (from 50 ms, jitter).
//! The example has no limit of retries; this policy has seawall's.

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
    // The values of its `Default`, whose random numbers cannot be seeded.
    let (min, max) = (Duration::from_millis(50), Duration::from_millis(u64::MAX));
    let random = HasherRng::with_hasher(BuildHasherDefault::default());
    let backoff = ExponentialBackoffMaker::new(min, max, 0.99, random)
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
