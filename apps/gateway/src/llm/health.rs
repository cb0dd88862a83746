//! The health of each endpoint of a service.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Context,
    time::Duration,
};

use axum::body::Body;
use futures_util::task::AtomicWaker;
use http::Response;
use seawall::{
    BoxError, Cause,
    circuit_breaker::{Circuit, CircuitOpen, State},
    classify::{Classify, HttpClassifier},
    find_source,
};
use tokio::time::Instant;

/// How long a failed endpoint without a `Retry-After` is skipped while another one is available.
///
/// The retry of a request therefore reaches another endpoint before the circuit has counted enough failures to open.
const COOLDOWN: Duration = Duration::from_secs(1);

/// The maximum time for which an upstream's `Retry-After` is honored.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The wait reported for a circuit without a next probe time, because all of its probes are in flight.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// The circuit and the cooldown of one endpoint.
#[derive(Debug)]
pub(super) struct Health {
    circuit: Circuit,
    cooldown: Mutex<Cooldown>,
    /// Wakes the balancer that waits for the endpoint.
    waker: AtomicWaker,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cooldown {
    /// The end of the wait requested by the upstream's `Retry-After`.
    retry_after: Option<Instant>,
    /// The end of the cooldown after the last failure. Set until a request succeeds, even when it lies in the past.
    failed: Option<Instant>,
}

impl Health {
    pub(super) fn new(circuit: Circuit) -> Self {
        Self { circuit, cooldown: Mutex::default(), waker: AtomicWaker::new() }
    }

    /// Returns whether the endpoint is out of its cooldown and its circuit admits calls.
    pub(super) fn is_available(&self) -> bool {
        self.cooldown_until().is_none()
            && !matches!(self.circuit.state(), State::Open | State::ForcedOpen)
    }

    /// Returns the time until the circuit admits its next probe.
    pub(super) fn time_to_next_probe(&self) -> Duration {
        self.circuit.snapshot().next_probe().unwrap_or(PROBE_WAIT)
    }

    fn cooldown_until(&self) -> Option<Instant> {
        let Cooldown { retry_after, failed } = *self.cooldown();
        retry_after.max(failed).filter(|until| *until > Instant::now())
    }

    fn cooldown(&self) -> MutexGuard<'_, Cooldown> {
        self.cooldown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One endpoint's view of the health of all endpoints of its service.
#[derive(Clone, Debug)]
pub(super) struct EndpointHealth {
    pub(super) endpoints: Arc<[Health]>,
    pub(super) index: usize,
}

impl EndpointHealth {
    /// Returns the end of the cooldown, or `None` if the endpoint accepts requests.
    ///
    /// The cooldown is ignored while no other endpoint is available: a rate limit may apply to one model of many. Registers
    /// `cx` for every change except the passing of time.
    pub(super) fn cooldown_until(&self, cx: &mut Context<'_>) -> Option<Instant> {
        let own = self.own();
        own.waker.register(cx.waker());
        let until = own.cooldown_until();
        let mut others =
            self.endpoints.iter().enumerate().filter(|(index, _)| *index != self.index);
        until.filter(|_| others.any(|(_, other)| other.is_available()))
    }

    /// Records the outcome of a request.
    pub(super) fn record(&self, outcome: Result<&Response<Body>, &BoxError>) {
        // A request rejected by the circuit never reached the endpoint.
        if outcome.is_err_and(|error| find_source::<CircuitOpen>(&**error).is_some()) {
            return;
        }
        let outcome = outcome.map_err(|error| &**error as &(dyn Error + 'static));
        let Some(failure) = HttpClassifier::new().classify(outcome) else {
            return self.record_success();
        };
        match (failure.retry_after(), failure.cause()) {
            (Some(wait), _) => self.honor_retry_after(wait),
            (None, Cause::ClientError | Cause::Conflict) => self.record_success(),
            (None, _) => self.record_failure(),
        }
    }

    /// Limits an endpoint that has not succeeded since its last failure to one request per cooldown.
    ///
    /// An endpoint that fails fast has few requests in flight, so the balancer would prefer it.
    pub(super) fn start_request(&self) {
        let mut cooldown = self.own().cooldown();
        cooldown.failed = cooldown.failed.max(cooldown.failed.map(|_| Instant::now() + COOLDOWN));
    }

    /// Ends the cooldown after a failure. A `Retry-After` stays in force: the request may be older than it.
    fn record_success(&self) {
        let own = self.own();
        if own.cooldown().failed.take().is_some() {
            own.waker.wake();
        }
    }

    fn honor_retry_after(&self, wait: Duration) {
        let until = Some(Instant::now() + wait.min(MAX_RETRY_AFTER));
        {
            let mut cooldown = self.own().cooldown();
            cooldown.retry_after = cooldown.retry_after.max(until);
        }
        self.record_failure();
    }

    /// Starts the cooldown after a failed request or an interrupted response body.
    pub(super) fn record_failure(&self) {
        {
            let mut cooldown = self.own().cooldown();
            cooldown.failed = cooldown.failed.max(Some(Instant::now() + COOLDOWN));
        }
        // If this was the last available endpoint, the cooldowns of the others no longer apply.
        for endpoint in self.endpoints.iter() {
            endpoint.waker.wake();
        }
    }

    fn own(&self) -> &Health {
        &self.endpoints[self.index]
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use seawall::circuit_breaker::CircuitBreakerLayer;
    use tokio::time::advance;
    use tokio_test::task::{self, Spawn};

    use super::*;

    fn endpoints<const N: usize>() -> [EndpointHealth; N] {
        let new = || Health::new(CircuitBreakerLayer::new().handle());
        let endpoints: Arc<[_]> = (0..N).map(|_| new()).collect();
        std::array::from_fn(|index| EndpointHealth { endpoints: Arc::clone(&endpoints), index })
    }

    fn record(endpoint: &EndpointHealth, status: u16, retry_after: Option<&'static str>) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(wait) = retry_after {
            response.headers_mut().insert("retry-after", wait.parse().unwrap());
        }
        endpoint.record(Ok(&response));
    }

    fn is_cooling_down(task: &mut Spawn<()>, endpoint: &EndpointHealth) -> bool {
        task.enter(|cx, _| endpoint.cooldown_until(cx)).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn failed_endpoint_is_skipped_while_another_is_available() {
        let [one, two] = endpoints();
        let mut task = task::spawn(());
        assert!(!is_cooling_down(&mut task, &one));
        record(&one, 502, None);
        assert!(is_cooling_down(&mut task, &one));
        assert!(!one.own().is_available() && two.own().is_available());
        // The waiting balancer wakes when no other endpoint is left.
        assert!(!task.is_woken());
        record(&two, 429, None);
        assert!(task.is_woken());
        assert!(!is_cooling_down(&mut task, &one) && !is_cooling_down(&mut task, &two));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_outlasts_success_of_earlier_request() {
        let [one, _two] = endpoints();
        let mut task = task::spawn(());
        record(&one, 429, Some("15"));
        record(&one, 200, None);
        advance(Duration::from_millis(14_999)).await;
        assert!(is_cooling_down(&mut task, &one));
        advance(Duration::from_millis(1)).await;
        assert!(!is_cooling_down(&mut task, &one));
        record(&one, 503, Some("86400"));
        advance(MAX_RETRY_AFTER).await;
        assert!(!is_cooling_down(&mut task, &one));
    }

    #[tokio::test(start_paused = true)]
    async fn failed_endpoint_gets_one_request_per_cooldown() {
        let [one, _two] = endpoints();
        let mut task = task::spawn(());
        record(&one, 500, None);
        for _ in 0..3 {
            assert!(is_cooling_down(&mut task, &one));
            advance(COOLDOWN).await;
            assert!(!is_cooling_down(&mut task, &one));
            one.start_request();
        }
        assert!(is_cooling_down(&mut task, &one));
        record(&one, 200, None);
        assert!(task.is_woken());
        one.start_request();
        assert!(!is_cooling_down(&mut task, &one));
    }

    #[tokio::test(start_paused = true)]
    async fn client_error_starts_no_cooldown() {
        let [one, _two] = endpoints();
        let mut task = task::spawn(());
        for status in [400, 401, 404, 409, 422] {
            record(&one, status, None);
            assert!(!is_cooling_down(&mut task, &one), "{status}");
        }
    }
}
