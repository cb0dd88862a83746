//! What is known of each upstream of a service.

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
    BoxError, Cause, Classify, HttpClassifier,
    circuit_breaker::{Circuit, CircuitOpen, State},
    find_source,
};
use tokio::time::Instant;

/// How long an upstream that failed, and does not say for how long, is passed over where there is another: so that the retry
/// of a request meets another one, however few failures a circuit has counted.
const REST: Duration = Duration::from_secs(1);

/// The longest time that an upstream's `Retry-After` keeps requests away from it.
const REST_MAX: Duration = Duration::from_secs(60);

/// How long to wait for a circuit that does not say when it will let a call pass: all of its probes are under way.
const PROBING: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Condition {
    circuit: Circuit,
    kept: Mutex<Kept>,
    /// Of a balancer that waits for it.
    waker: AtomicWaker,
}

#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    /// Until then it wants no requests, as it said.
    asked: Option<Instant>,
    /// Until then it is left alone, since it failed last. There until a request has succeeded, however long ago that is.
    suspect: Option<Instant>,
}

impl Condition {
    pub(super) fn new(circuit: Circuit) -> Self {
        Self { circuit, kept: Mutex::default(), waker: AtomicWaker::new() }
    }

    /// Whether a request had better be sent to it than to one that is not.
    pub(super) fn is_fit(&self) -> bool {
        self.rests().is_none() && !matches!(self.circuit.state(), State::Open | State::ForcedOpen)
    }

    /// How long its circuit will refuse calls.
    pub(super) fn refuses_for(&self) -> Duration {
        self.circuit.snapshot().next_probe().unwrap_or(PROBING)
    }

    fn rests(&self) -> Option<Instant> {
        let Kept { asked, suspect } = *self.kept();
        asked.max(suspect).filter(|until| *until > Instant::now())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One upstream among those of a service.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) all: Arc<[Condition]>,
    pub(super) at: usize,
}

impl Place {
    /// Until when it is passed over: as long as it rests while another is fit.
    ///
    /// Where none is, requests go on: a rate limit may be that of one model among many. What this depends on wakes `cx`, but
    /// for the time.
    pub(super) fn rests_until(&self, cx: &mut Context<'_>) -> Option<Instant> {
        let own = &self.all[self.at];
        own.waker.register(cx.waker());
        let until = own.rests();
        let mut others = self.all.iter().enumerate().filter(|(at, _)| *at != self.at);
        until.filter(|_| others.any(|(_, other)| other.is_fit()))
    }

    /// Learns from an outcome.
    pub(super) fn note(&self, outcome: Result<&Response<Body>, &BoxError>) {
        // What was not sent to it says nothing of it.
        if outcome.is_err_and(|error| find_source::<CircuitOpen>(&**error).is_some()) {
            return;
        }
        let outcome = outcome.map_err(|error| &**error as &(dyn Error + 'static));
        let Some(failure) = HttpClassifier::new().classify(outcome) else { return self.is_well() };
        match (failure.retry_after(), failure.cause()) {
            (Some(wait), _) => self.asks_for(wait),
            (None, Cause::ClientError | Cause::Conflict) => self.is_well(),
            (None, _) => self.fails(),
        }
    }

    /// A request is sent to it. One that failed last gets no more than one in a while, until one has succeeded: what fails at
    /// once has nothing to do, and would draw all requests to itself.
    pub(super) fn takes_one(&self) {
        let mut kept = self.all[self.at].kept();
        kept.suspect = kept.suspect.max(kept.suspect.map(|_| Instant::now() + REST));
    }

    /// What it asked for holds all the same: the request may be an old one.
    fn is_well(&self) {
        let own = &self.all[self.at];
        if own.kept().suspect.take().is_some() {
            own.waker.wake();
        }
    }

    fn asks_for(&self, wait: Duration) {
        let until = Some(Instant::now() + wait.min(REST_MAX));
        {
            let mut kept = self.all[self.at].kept();
            kept.asked = kept.asked.max(until);
        }
        self.fails();
    }

    /// A request failed, or a stream broke off.
    pub(super) fn fails(&self) {
        {
            let mut kept = self.all[self.at].kept();
            kept.suspect = kept.suspect.max(Some(Instant::now() + REST));
        }
        // It may have been the last one that was fit, so the others need not rest any more.
        for other in self.all.iter() {
            other.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use seawall::CircuitBreakerLayer;
    use tokio::time::advance;
    use tokio_test::task::{self, Spawn};

    use super::*;

    fn places<const N: usize>() -> [Place; N] {
        let new = || Condition::new(CircuitBreakerLayer::new().handle());
        let all: Arc<[_]> = (0..N).map(|_| new()).collect();
        std::array::from_fn(|at| Place { all: Arc::clone(&all), at })
    }

    fn answers(place: &Place, status: u16, retry_after: Option<&'static str>) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(wait) = retry_after {
            response.headers_mut().insert("retry-after", wait.parse().unwrap());
        }
        place.note(Ok(&response));
    }

    fn rests(task: &mut Spawn<()>, place: &Place) -> bool {
        task.enter(|cx, _| place.rests_until(cx)).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_is_passed_over_while_another_is_fit() {
        let [one, two] = places();
        let mut task = task::spawn(());
        assert!(!rests(&mut task, &one));
        answers(&one, 502, None);
        assert!(rests(&mut task, &one) && !one.all[0].is_fit() && two.all[1].is_fit());
        // Whoever waits for it is told when it is the only one that is left.
        assert!(!task.is_woken());
        answers(&two, 429, None);
        assert!(task.is_woken());
        assert!(!rests(&mut task, &one) && !rests(&mut task, &two));
    }

    #[tokio::test(start_paused = true)]
    async fn what_it_asks_for_holds_whatever_comes_of_earlier_requests() {
        let [one, _two] = places();
        let mut task = task::spawn(());
        answers(&one, 429, Some("15"));
        answers(&one, 200, None);
        advance(Duration::from_millis(14_999)).await;
        assert!(rests(&mut task, &one));
        advance(Duration::from_millis(1)).await;
        assert!(!rests(&mut task, &one));
        answers(&one, 503, Some("86400"));
        advance(REST_MAX).await;
        assert!(!rests(&mut task, &one));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_failed_gets_one_request_in_a_while_until_one_succeeds() {
        let [one, _two] = places();
        let mut task = task::spawn(());
        answers(&one, 500, None);
        for _ in 0..3 {
            assert!(rests(&mut task, &one));
            advance(REST).await;
            assert!(!rests(&mut task, &one));
            one.takes_one();
        }
        assert!(rests(&mut task, &one));
        answers(&one, 200, None);
        assert!(task.is_woken());
        one.takes_one();
        assert!(!rests(&mut task, &one));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_the_request_says_nothing_against_it() {
        let [one, _two] = places();
        let mut task = task::spawn(());
        for status in [400, 401, 404, 409, 422] {
            answers(&one, status, None);
            assert!(!rests(&mut task, &one), "{status}");
        }
    }
}
