//! A retry policy for tower's `Retry`, which has no default policy.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use http::{Request, Response, StatusCode};
use tower::retry::{
    Policy,
    budget::{Budget, TpsBudget},
};

/// A policy that retries a 502 without backoff.
#[derive(Clone, Debug)]
pub(crate) struct RetryOn502 {
    retries_left: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl RetryOn502 {
    pub(crate) const fn new() -> Self {
        Self { retries_left: 3, budget: None }
    }

    pub(crate) fn with_budget() -> Self {
        Self { budget: Some(Arc::default()), ..Self::new() }
    }
}

impl<B: Clone, B2, E> Policy<Request<B>, Response<B2>, E> for RetryOn502 {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        outcome: &mut Result<Response<B2>, E>,
    ) -> Option<Ready<()>> {
        let failed = match outcome {
            Ok(response) => response.status() == StatusCode::BAD_GATEWAY,
            Err(_) => true,
        };
        if !failed {
            if let Some(budget) = &self.budget {
                budget.deposit();
            }
            return None;
        }
        self.retries_left = self.retries_left.checked_sub(1)?;
        let allowed = self.budget.as_ref().is_none_or(|it| it.withdraw());
        allowed.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}
