//! The outcome of a request, and the kind of event that follows from it.

use std::{error::Error, fmt};

use seawall_core::{Cause, Failure, attempts::StopReason, internal::chain};

use super::{
    Level,
    level::Levels,
    nesting::{FailedCall, InnerCall},
    record::ResponseDetails,
    rejection::is_rejection,
    settings::Role,
};

/// The way in which a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The response's body ended normally.
    Complete,
    /// The call or the response's body returned an error.
    Error,
    /// The caller dropped the response's body before its end.
    Dropped,
    /// The caller dropped the call before the response.
    Cancelled,
    /// The inner service panicked, and the call was dropped after that.
    Panicked,
}

/// The outcome of a request and the reasons for it.
#[derive(Clone, Copy)]
pub(super) struct Completion<'a> {
    pub(super) outcome: Outcome,
    pub(super) failure: Option<Failure>,
    /// The number of requests sent, including the first.
    pub(super) attempts: Option<u32>,
    /// The reason why retrying stopped.
    pub(super) stop_reason: Option<StopReason>,
    /// The error message.
    pub(super) message: Option<&'a dyn fmt::Display>,
    /// The last call that a log inside this one has reported.
    pub(super) inner_call: Option<&'a InnerCall>,
}

impl Outcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }
}

/// The kind of an event, which determines its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    Success,
    Retried,
    ClientError,
    Failure,
    /// Rejected by a layer of this process.
    Rejected,
    Cancelled,
}

impl EventKind {
    pub(super) fn level(self, levels: Levels) -> Level {
        match self {
            Self::Success => levels.success,
            Self::Retried => levels.retried,
            Self::ClientError => levels.client_error.unwrap_or(levels.success),
            Self::Failure => levels.failure,
            Self::Rejected => levels.rejected,
            Self::Cancelled => levels.cancelled,
        }
    }
}

impl<'a> Completion<'a> {
    /// Combines an outcome with the reasons found in the response's head, if one arrived.
    pub(super) fn new(outcome: Outcome, response: Option<&ResponseDetails>) -> Self {
        Self {
            outcome,
            failure: response.and_then(|response| response.failure),
            attempts: response.and_then(|response| response.attempts),
            stop_reason: response.and_then(|response| response.stop_reason),
            message: None,
            inner_call: None,
        }
    }

    /// Adds the call that a log inside this one has reported.
    pub(super) fn with_inner_call(self, inner_call: Option<&'a InnerCall>) -> Self {
        let this = Self { inner_call, ..self };
        let Some(failed) = this.failed_inner_call() else { return this };
        let is_rejected = this.failure.is_some_and(|failure| is_rejection(&failure));
        Self {
            // The attempts of a call that was then rejected have the cause.
            failure: if is_rejected { failed.failure.or(this.failure) } else { this.failure },
            attempts: this.attempts.or(failed.attempts),
            stop_reason: this.stop_reason.or(failed.stop_reason),
            message: this.message.or(failed.message.as_ref().map(|it| it as _)),
            ..this
        }
    }

    fn failed_inner_call(&self) -> Option<&'a FailedCall> {
        self.inner_call?.failed.as_ref()
    }

    /// Returns the failure of the request, or else that of a call inside.
    pub(super) fn any_failure(&self) -> Option<Failure> {
        self.failure.or_else(|| self.failed_inner_call()?.failure)
    }

    pub(super) fn kind(&self, role: Role) -> EventKind {
        // The log inside has left its event to this one, even if the request has succeeded since.
        if self.failed_inner_call().is_some() {
            return EventKind::Failure;
        }
        match (self.outcome, self.failure) {
            (Outcome::Panicked, _) | (Outcome::Error, None) => EventKind::Failure,
            (_, Some(failure)) => match failure.cause() {
                Cause::ClientError | Cause::Conflict => EventKind::ClientError,
                _ if is_rejection(&failure) => EventKind::Rejected,
                Cause::Cancelled => EventKind::Cancelled,
                _ => EventKind::Failure,
            },
            (Outcome::Dropped | Outcome::Cancelled, None) => EventKind::Cancelled,
            (Outcome::Complete, None) => {
                let is_retried = self.attempts.is_some_and(|attempts| attempts > 1);
                if is_retried && role == Role::Client {
                    EventKind::Retried
                } else {
                    EventKind::Success
                }
            }
        }
    }
}

/// Returns the innermost source of an error.
///
/// It is the most specific one. The errors around it may repeat it or contain a URL.
pub(super) fn innermost_source<'a>(
    error: &'a (dyn Error + 'static),
) -> Option<&'a (dyn Error + 'static)> {
    chain(error).filter(|it| !it.is::<Failure>()).last()
}
