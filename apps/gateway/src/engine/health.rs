//! The health of an endpoint.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Response;
use seawall::{
    Blame, BoxError, Cause, Failure,
    circuit_breaker::{Circuit, CircuitOpen, State},
    classify::{Classify, HttpClassifier, classify_body_error},
    find_source,
};
use tokio::time::Instant;

use crate::log;

/// How long an endpoint is skipped after a failure without `Retry-After`, if another is available.
///
/// So a retry reaches another endpoint even while the circuit is still closed.
const COOLDOWN: Duration = Duration::from_secs(1);

/// The maximum `Retry-After` that is honored.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The wait to report while all probes of a circuit are in flight, when the time of the next one is
/// unknown.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// The circuit and the cooldown of one endpoint.
///
/// # Clone
///
/// Clones share the state.
#[derive(Clone, Debug)]
pub(super) struct EndpointHealth {
    circuit: Circuit,
    cooldown: Arc<Mutex<Cooldown>>,
    failures: Arc<Mutex<FailureCount>>,
}

/// The failures of an endpoint since its start.
#[derive(Clone, Debug, Default)]
pub(super) struct FailureCount {
    pub(super) count: u64,
    pub(super) last: Option<LastFailure>,
}

#[derive(Clone, Debug)]
pub(super) struct LastFailure {
    pub(super) failure: Failure,
    /// The time in the format of RFC 3339.
    pub(super) at: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cooldown {
    /// The end of the wait that the upstream requested with `Retry-After`.
    retry_after_until: Option<Instant>,
    /// The end of the cooldown after the last failure. It stays `Some` until a request succeeds,
    /// even after the cooldown has ended.
    failure_until: Option<Instant>,
}

impl EndpointHealth {
    pub(super) fn new(circuit: Circuit) -> Self {
        Self { circuit, cooldown: Arc::default(), failures: Arc::default() }
    }

    /// Returns whether the endpoint is out of its cooldown and its circuit admits calls.
    pub(super) fn is_available(&self) -> bool {
        self.time_to_available().is_none()
    }

    /// Returns the time until the endpoint is available, or `None` if it is.
    pub(super) fn time_to_available(&self) -> Option<Duration> {
        let Cooldown { retry_after_until, failure_until } = *self.lock_cooldown();
        let cooldown = retry_after_until.max(failure_until).map(|until| until - Instant::now());
        let is_open = matches!(self.circuit.state(), State::Open | State::ForcedOpen);
        let circuit = is_open.then(|| self.time_to_next_probe());
        cooldown.filter(|wait| !wait.is_zero()).max(circuit)
    }

    pub(super) fn circuit_state(&self) -> State {
        self.circuit.state()
    }

    pub(super) fn failures(&self) -> FailureCount {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the time until the circuit admits its next probe.
    pub(super) fn time_to_next_probe(&self) -> Duration {
        self.circuit.snapshot().next_probe().unwrap_or(PROBE_WAIT)
    }

    /// Records the outcome of a request.
    pub(super) fn record<B>(&self, outcome: Result<&Response<B>, &BoxError>) {
        // A request that the circuit rejected never reached the endpoint.
        if outcome.is_err_and(|error| find_source::<CircuitOpen>(&**error).is_some()) {
            return;
        }
        let outcome = outcome.map_err(|error| &**error as &(dyn Error + 'static));
        let Some(failure) = HttpClassifier::new().classify(outcome) else {
            return self.record_success();
        };
        match (failure.retry_after(), failure.cause()) {
            (Some(wait), _) => {
                self.count_failure(&failure);
                self.honor_retry_after(wait);
            }
            (None, Cause::ClientError | Cause::Conflict) => self.record_success(),
            (None, _) => self.record_failure(&failure),
        }
    }

    /// Records the error of a response body.
    pub(super) fn record_body_error(&self, error: &(dyn Error + 'static)) {
        self.record_failure(&classify_body_error(error));
    }

    /// Restarts the cooldown of a failed endpoint. Until a request succeeds, it gets one request
    /// per cooldown.
    ///
    /// Otherwise the balancer would prefer an endpoint that fails fast, because it has few requests
    /// in flight.
    pub(super) fn on_request_start(&self) {
        let mut cooldown = self.lock_cooldown();
        cooldown.failure_until =
            cooldown.failure_until.max(cooldown.failure_until.map(|_| Instant::now() + COOLDOWN));
    }

    /// Ends the cooldown after a failure. A `Retry-After` stays in force, because the successful
    /// request may have started before it arrived.
    fn record_success(&self) {
        self.lock_cooldown().failure_until = None;
    }

    fn honor_retry_after(&self, wait: Duration) {
        let until = Some(Instant::now() + wait.min(MAX_RETRY_AFTER));
        let mut cooldown = self.lock_cooldown();
        cooldown.retry_after_until = cooldown.retry_after_until.max(until);
        cooldown.start();
    }

    /// Starts the cooldown. A failure of the caller, such as a broken upload, is not one of the
    /// endpoint, and neither is a limit of this process. A rate limit is the caller's fault, but
    /// another endpoint may have another limit.
    fn record_failure(&self, failure: &Failure) {
        if failure.cause() == Cause::RateLimited
            || !matches!(failure.blame(), Blame::Caller | Blame::Process)
        {
            self.count_failure(failure);
            self.lock_cooldown().start();
        }
    }

    fn count_failure(&self, failure: &Failure) {
        let last = Some(LastFailure { failure: *failure, at: log::timestamp() });
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = FailureCount { count: failures.count + 1, last };
    }

    fn lock_cooldown(&self) -> MutexGuard<'_, Cooldown> {
        self.cooldown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cooldown {
    fn start(&mut self) {
        self.failure_until = self.failure_until.max(Some(Instant::now() + COOLDOWN));
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::StatusCode;
    use seawall::circuit_breaker::CircuitBreakerLayer;
    use tokio::time::advance;

    use super::*;

    fn endpoint() -> EndpointHealth {
        EndpointHealth::new(CircuitBreakerLayer::new().handle())
    }

    fn record(endpoint: &EndpointHealth, status: u16, retry_after: Option<&'static str>) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(wait) = retry_after {
            response.headers_mut().insert("retry-after", wait.parse().unwrap());
        }
        endpoint.record(Ok(&response));
    }

    #[tokio::test(start_paused = true)]
    async fn failed_endpoint_is_unavailable_for_a_second() {
        let endpoint = endpoint();
        assert!(endpoint.is_available());
        for status in [502, 429] {
            record(&endpoint, status, None);
            assert!(!endpoint.is_available(), "{status}");
            advance(COOLDOWN).await;
            assert!(endpoint.is_available(), "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_outlasts_success_of_earlier_request() {
        let endpoint = endpoint();
        record(&endpoint, 429, Some("15"));
        record(&endpoint, 200, None);
        advance(Duration::from_millis(14_999)).await;
        assert!(!endpoint.is_available());
        advance(Duration::from_millis(1)).await;
        assert!(endpoint.is_available());
        record(&endpoint, 503, Some("86400"));
        advance(MAX_RETRY_AFTER).await;
        assert!(endpoint.is_available());
    }

    #[tokio::test(start_paused = true)]
    async fn failed_endpoint_gets_one_request_per_cooldown() {
        let endpoint = endpoint();
        record(&endpoint, 500, None);
        for _ in 0..3 {
            assert!(!endpoint.is_available());
            advance(COOLDOWN).await;
            assert!(endpoint.is_available());
            endpoint.on_request_start();
        }
        assert!(!endpoint.is_available());
        record(&endpoint, 200, None);
        endpoint.on_request_start();
        assert!(endpoint.is_available());
    }

    #[tokio::test(start_paused = true)]
    async fn failure_of_caller_starts_no_cooldown() {
        let endpoint = endpoint();
        for status in [400, 401, 404, 409, 422] {
            record(&endpoint, status, None);
            assert!(endpoint.is_available(), "{status}");
        }
        for cause in [Cause::HttpRequestError, Cause::HttpRequestDenied] {
            endpoint.record::<Body>(Err(&Failure::new(cause).into()));
            assert!(endpoint.is_available(), "{cause:?}");
        }
        endpoint.record::<Body>(Err(&Failure::new(Cause::ConnectionTerminated).into()));
        assert!(!endpoint.is_available());
    }
}
