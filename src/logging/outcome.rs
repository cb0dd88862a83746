//! The outcome of a request, and the kind of event that follows from it.

use std::{error::Error, fmt};

use seawall_core::{Cause, Failure, Reporter, attempts::StopReason, internal::chain};

use super::{Level, level::Levels, record::ResponseDetails, settings::Role};

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

impl Completion<'_> {
    /// Combines an outcome with the reasons found in the response's head, if one arrived.
    pub(super) fn new(outcome: Outcome, response: Option<&ResponseDetails>) -> Self {
        Self {
            outcome,
            failure: response.and_then(|response| response.failure),
            attempts: response.and_then(|response| response.attempts),
            stop_reason: response.and_then(|response| response.stop_reason),
            message: None,
        }
    }

    pub(super) fn kind(&self, role: Role) -> EventKind {
        match (self.outcome, self.failure) {
            (Outcome::Panicked, _) | (Outcome::Error, None) => EventKind::Failure,
            (_, Some(failure)) => match failure.cause() {
                Cause::ClientError | Cause::Conflict => EventKind::ClientError,
                Cause::CircuitOpen => EventKind::Rejected,
                // Reported locally, it is a limit of this process, not of the upstream.
                Cause::ConnectionLimitReached if failure.reporter() == Reporter::Local => {
                    EventKind::Rejected
                }
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

/// Returns whether the text of an error may contain the request's URL, and therefore secrets.
pub(super) fn may_contain_url(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "reqwest-0_13")]
    return error.is::<reqwest::Error>();
    #[cfg(not(feature = "reqwest-0_13"))]
    {
        let _ = error;
        false
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
