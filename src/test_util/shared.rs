//! What all clones of an upstream, or all its connections, share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use tokio::time::Instant;

use super::{InvalidScript, ReceivedRequest, Script, Step};

/// How many requests are kept.
pub(super) const KEPT: usize = 1_000;

#[derive(Debug)]
pub(super) struct Shared {
    made: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    script: Script,
    requests: u64,
    received: Vec<ReceivedRequest>,
}

/// Where a request is kept; nowhere if there were too many before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(usize);

impl Shared {
    pub(super) fn new(script: Script) -> Result<Self, InvalidScript> {
        script.check()?;
        let state = Mutex::new(State { script, requests: 0, received: Vec::new() });
        Ok(Self { made: Instant::now(), state })
    }

    pub(super) fn follow(&self, script: Script) -> Result<(), InvalidScript> {
        script.check()?;
        // Dropped when the lock is released: a body may have an owner, with code of its own.
        let former = std::mem::replace(&mut self.lock().script, script);
        drop(former);
        Ok(())
    }

    /// A request has come: what to do with it. A refused one is not received.
    pub(super) fn begin(&self, parts: Parts) -> (Step, Place) {
        let mut state = self.lock();
        let step = state.script.next();
        let place = Place(state.received.len());
        if !step.action.is_refusal() {
            state.requests += 1;
            if place.0 < KEPT {
                state.received.push(ReceivedRequest::new(parts, self.made.elapsed()));
                return (step, place);
            }
        }
        (step, Place(KEPT))
    }

    /// More of its body has come.
    pub(super) fn add(&self, Place(at): Place, data: &[u8]) {
        if let Some(received) = self.lock().received.get_mut(at) {
            received.add(data);
        }
    }

    /// Its body has ended.
    pub(super) fn end(&self, Place(at): Place) {
        if let Some(received) = self.lock().received.get_mut(at) {
            received.end();
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.lock().requests
    }

    pub(super) fn received(&self) -> Vec<ReceivedRequest> {
        self.lock().received.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
