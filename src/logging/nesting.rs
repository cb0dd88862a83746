//! Links the log of a server to the logs inside it, so that one failure is one event at WARN.

use std::{mem, sync::Arc};

use http::Uri;
use seawall_core::{Failure, attempts::StopReason};

use crate::sync::{Mutex, lock};

/// The event of an enclosing log. A server's log inserts it into the request's extensions.
///
/// A log inside reports its failure here and emits its own event at DEBUG.
#[derive(Clone, Debug, Default)]
pub(super) struct EnclosingLog(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    NoCall,
    Call(Box<InnerCall>),
    /// The event was emitted. A call may outlive the request that caused it.
    Closed,
}

/// The last call that a log inside has reported.
#[derive(Debug)]
pub(super) struct InnerCall {
    /// The URI of the upstream.
    pub(super) uri: Option<Uri>,
    pub(super) failed: Option<FailedCall>,
}

/// The parts of a failed call's event.
#[derive(Debug)]
pub(super) struct FailedCall {
    /// `None` if the call panicked.
    pub(super) failure: Option<Failure>,
    pub(super) attempts: Option<u32>,
    pub(super) stop_reason: Option<StopReason>,
    pub(super) message: Option<String>,
}

impl EnclosingLog {
    /// Reports a call. Returns `false` if the event was already emitted.
    ///
    /// A failure is kept, whatever other calls report after it.
    pub(super) fn report(&self, call: InnerCall) -> bool {
        let mut state = lock(&self.0);
        match &*state {
            State::Closed => return false,
            State::Call(earlier) if earlier.failed.is_some() && call.failed.is_none() => {}
            _ => *state = State::Call(Box::new(call)),
        }
        true
    }

    /// Returns the last call. Later calls are no longer accepted.
    pub(super) fn close(&self) -> Option<Box<InnerCall>> {
        match mem::replace(&mut *lock(&self.0), State::Closed) {
            State::Call(call) => Some(call),
            State::NoCall | State::Closed => None,
        }
    }
}
