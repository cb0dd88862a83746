//! What is known of each upstream of a service.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
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
    /// Until then it wants no requests.
    rests: Mutex<Option<Instant>>,
    /// Of a balancer that waits for it.
    waker: AtomicWaker,
}

impl Condition {
    pub(super) fn new(circuit: Circuit) -> Self {
        Self { circuit, rests: Mutex::default(), waker: AtomicWaker::new() }
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
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        *rests = rests.filter(|until| *until > Instant::now());
        *rests
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
        let Some(failure) = HttpClassifier::new().classify(outcome) else { return };
        match (failure.retry_after(), failure.cause()) {
            (Some(wait), _) => self.rest_for(wait),
            (None, Cause::ClientError | Cause::Conflict) => {}
            (None, _) => self.rest_for(REST),
        }
    }

    /// A stream broke off.
    pub(super) fn broke_off(&self) {
        self.rest_for(REST);
    }

    fn rest_for(&self, wait: Duration) {
        let until = Some(Instant::now() + wait.min(REST_MAX));
        {
            let mut rests = self.all[self.at].rests.lock().unwrap_or_else(PoisonError::into_inner);
            *rests = (*rests).max(until);
        }
        // It may have been the last one that was fit, so the others need not rest any more.
        for other in self.all.iter() {
            other.waker.wake();
        }
    }
}
