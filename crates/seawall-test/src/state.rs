//! The state that the clones or the connections of an upstream share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use tokio::time::Instant;

use crate::{InvalidScript, ReceivedRequest, Script, Step};

/// The maximum number of stored requests. Later ones are counted, but not stored.
pub(crate) const MAX_RECEIVED_REQUESTS: usize = 1_000;

#[derive(Debug)]
pub(crate) struct UpstreamState {
    created: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    script: Script,
    requests: u64,
    received: Vec<ReceivedRequest>,
}

/// The index of a request among the stored ones. It is out of bounds if the request is not stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestIndex(usize);

impl UpstreamState {
    pub(crate) fn new(script: Script) -> Result<Self, InvalidScript> {
        script.validate()?;
        let state = Mutex::new(State { script, requests: 0, received: Vec::new() });
        Ok(Self { created: Instant::now(), state })
    }

    pub(crate) fn set_script(&self, script: Script) -> Result<(), InvalidScript> {
        script.validate()?;
        // Dropped after the lock is released, because dropping a body may run user code.
        let previous = std::mem::replace(&mut self.lock().script, script);
        drop(previous);
        Ok(())
    }

    /// Returns the step of a request, and stores its head. Refused requests are not stored.
    pub(crate) fn receive_head(&self, parts: Parts) -> (Step, RequestIndex) {
        let mut state = self.lock();
        let step = state.script.next();
        let index = RequestIndex(state.received.len());
        if !step.action.refuses_connection() {
            state.requests += 1;
            if index.0 < MAX_RECEIVED_REQUESTS {
                state.received.push(ReceivedRequest::new(parts, self.created.elapsed()));
                return (step, index);
            }
        }
        (step, RequestIndex(MAX_RECEIVED_REQUESTS))
    }

    /// Stores a part of the body.
    pub(crate) fn receive_body(&self, RequestIndex(index): RequestIndex, data: &[u8]) {
        if let Some(received) = self.lock().received.get_mut(index) {
            received.push_body(data);
        }
    }

    /// Records the end of the body.
    pub(crate) fn receive_end(&self, RequestIndex(index): RequestIndex) {
        if let Some(received) = self.lock().received.get_mut(index) {
            received.end_body();
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.lock().requests
    }

    pub(crate) fn received(&self) -> Vec<ReceivedRequest> {
        self.lock().received.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
