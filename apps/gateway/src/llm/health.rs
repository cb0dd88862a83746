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
#[derive(Debug)]
pub(super) struct EndpointHealth {
    circuit: Circuit,
    cooldown: Mutex<Cooldown>,
    /// Wakes the balancer, which waits for the endpoint.
    waker: AtomicWaker,
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
        let Cooldown { retry_after_until, failure_until } = *self.lock_cooldown();
        retry_after_until.max(failure_until).filter(|until| *until > Instant::now())
    }

    fn lock_cooldown(&self) -> MutexGuard<'_, Cooldown> {
        self.cooldown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One endpoint's view of the health of all endpoints of its service.
#[derive(Clone, Debug)]
pub(super) struct HealthView {
    pub(super) endpoints: Arc<[EndpointHealth]>,
    pub(super) index: usize,
}

impl HealthView {
    /// Returns the end of the cooldown, or `None` if the endpoint accepts requests. Registers `cx`
    /// for every change except the passing of time.
    ///
    /// The cooldown is ignored while no other endpoint is available. The failure may be a rate
    /// limit of one model, so other requests may still succeed.
    pub(super) fn unavailable_until(&self, cx: &mut Context<'_>) -> Option<Instant> {
        let own = self.own();
        own.waker.register(cx.waker());
        let until = own.cooldown_until();
        let mut others =
            self.endpoints.iter().enumerate().filter(|(index, _)| *index != self.index);
        until.filter(|_| others.any(|(_, other)| other.is_available()))
    }

    /// Records the outcome of a request.
    pub(super) fn record(&self, outcome: Result<&Response<Body>, &BoxError>) {
        // A request that the circuit rejected never reached the endpoint.
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

    /// Restarts the cooldown of a failed endpoint. Until a request succeeds, it gets one request
    /// per cooldown.
    ///
    /// Otherwise the balancer would prefer an endpoint that fails fast, because it has few requests
    /// in flight.
    pub(super) fn on_request_start(&self) {
        let mut cooldown = self.own().lock_cooldown();
        cooldown.failure_until =
            cooldown.failure_until.max(cooldown.failure_until.map(|_| Instant::now() + COOLDOWN));
    }

    /// Ends the cooldown after a failure. A `Retry-After` stays in force, because the successful
    /// request may have started before it arrived.
    fn record_success(&self) {
        let own = self.own();
        if own.lock_cooldown().failure_until.take().is_some() {
            own.waker.wake();
        }
    }

    fn honor_retry_after(&self, wait: Duration) {
        let until = Some(Instant::now() + wait.min(MAX_RETRY_AFTER));
        {
            let mut cooldown = self.own().lock_cooldown();
            cooldown.retry_after_until = cooldown.retry_after_until.max(until);
        }
        self.record_failure();
    }

    /// Starts the cooldown after a failed request or an interrupted response body.
    pub(super) fn record_failure(&self) {
        {
            let mut cooldown = self.own().lock_cooldown();
            cooldown.failure_until = cooldown.failure_until.max(Some(Instant::now() + COOLDOWN));
        }
        // If this was the last available endpoint, the cooldowns of the others are now ignored.
        for endpoint in self.endpoints.iter() {
            endpoint.waker.wake();
        }
    }

    fn own(&self) -> &EndpointHealth {
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

    fn endpoints<const N: usize>() -> [HealthView; N] {
        let new = || EndpointHealth::new(CircuitBreakerLayer::new().handle());
        let endpoints: Arc<[_]> = (0..N).map(|_| new()).collect();
        std::array::from_fn(|index| HealthView { endpoints: Arc::clone(&endpoints), index })
    }

    fn record(endpoint: &HealthView, status: u16, retry_after: Option<&'static str>) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(wait) = retry_after {
            response.headers_mut().insert("retry-after", wait.parse().unwrap());
        }
        endpoint.record(Ok(&response));
    }

    fn is_cooling_down(task: &mut Spawn<()>, endpoint: &HealthView) -> bool {
        task.enter(|cx, _| endpoint.unavailable_until(cx)).is_some()
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
            one.on_request_start();
        }
        assert!(is_cooling_down(&mut task, &one));
        record(&one, 200, None);
        assert!(task.is_woken());
        one.on_request_start();
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
