//! tower 0.5: `Retry` and its budget, `Timeout` for an attempt and for the whole.
//!
//! A policy is its user's to write. This one follows the example in the docs of `tower::retry`: `TpsBudget::default()` (20 %
//! of calls and 10 a second), to which successes deposit, and `ExponentialBackoffMaker::default()` (from 50 ms, jitter).
//! How many retries it has is not said there: as many as ours.

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

use super::{ATTEMPT, Body, Client, TOTAL, boxed, is_retried};
use crate::upstream::Upstream;

pub(super) fn stack(upstream: Upstream) -> Client {
    // The settings of its `Default`, whose random numbers cannot be seeded.
    let (least, most) = (Duration::from_millis(50), Duration::from_millis(u64::MAX));
    let random = HasherRng::with_hasher(BuildHasherDefault::default());
    let backoff = ExponentialBackoffMaker::new(least, most, 0.99, random)
        .expect("what it takes by default")
        .make_backoff();
    let policy = Budgeted { left: 4, budget: Arc::new(TpsBudget::default()), backoff };
    boxed(
        ServiceBuilder::new()
            .layer(TimeoutLayer::new(TOTAL))
            .layer(RetryLayer::new(policy))
            .layer(TimeoutLayer::new(ATTEMPT))
            .service(upstream),
    )
}

#[derive(Clone)]
struct Budgeted {
    left: u32,
    budget: Arc<TpsBudget>,
    backoff: ExponentialBackoff<HasherRng<BuildHasherDefault<DefaultHasher>>>,
}

impl<B, E> Policy<Request<Body>, Response<B>, E> for Budgeted {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        outcome: &mut Result<Response<B>, E>,
    ) -> Option<Self::Future> {
        if outcome.as_ref().is_ok_and(|response| !is_retried(response.status())) {
            self.budget.deposit();
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        self.budget.withdraw().then(|| self.backoff.next_backoff())
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}
