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
