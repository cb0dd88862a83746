//! failsafe 1.3 with its default policy.
//!
//! The circuit opens below 80 % successes in 30 s, or after 5 consecutive failures. It stays open
//! for 10 s, and twice as long each time, up to 300 s. failsafe has no layer, so this file wraps it
//! in a service. The timeout is tower's.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use failsafe::{
    Config, FailurePolicy, StateMachine,
    failure_policy::{consecutive_failures, success_rate_over_time_window},
    futures::CircuitBreaker,
};
use http::{Request, Response};
use seawall::BoxError;
use tower::{Service, ServiceExt, timeout::Timeout};

use super::{ATTEMPT_TIMEOUT, Body, Client, boxed};
use crate::upstream::Upstream;

pub(super) fn stack(upstream: Upstream) -> Client {
    let rate =
        success_rate_over_time_window(0.8, 5, Duration::from_secs(30), EqualJitter::default());
    let policy = rate.or_else(consecutive_failures(5, EqualJitter::default()));
    let circuit = Config::new().failure_policy(policy).build();
    let attempt = Timeout::new(upstream, ATTEMPT_TIMEOUT);
    boxed(Failsafe { inner: attempt, circuit })
}

/// failsafe's `equal_jittered(10 s, 300 s)` with seeded random numbers: half of the backoff, and a
/// random part of the other half, in whole seconds.
#[derive(Clone, Debug, Default)]
struct EqualJitter {
    attempt: u32,
}

impl Iterator for EqualJitter {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let backoff = (10_u64 << self.attempt).min(300);
        self.attempt = (self.attempt + 1).min(30);
        Some(Duration::from_secs(backoff / 2 + fastrand::u64(0..=backoff / 2)))
    }
}

struct Failsafe<S, P> {
    inner: S,
    circuit: StateMachine<P, ()>,
}

impl<S: Clone, P> Clone for Failsafe<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), circuit: self.circuit.clone() }
    }
}

impl<S, P> Service<Request<Body>> for Failsafe<S, P>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    P: FailurePolicy + Send + Sync + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (inner, circuit) = (self.inner.clone(), self.circuit.clone());
        Box::pin(async move {
            // failsafe counts only errors, so a failed response is an error inside the breaker.
            let outcome = async {
                match inner.oneshot(request).await {
                    Ok(response) if response.status().is_server_error() => Err(Ok(response)),
                    Ok(response) => Ok(response),
                    Err(error) => Err(Err(error)),
                }
            };
            match circuit.call(outcome).await {
                Ok(response) | Err(failsafe::Error::Inner(Ok(response))) => Ok(response),
                Err(failsafe::Error::Inner(Err(error))) => Err(error),
                Err(failsafe::Error::Rejected) => Err("rejected".into()),
            }
        })
    }
}
