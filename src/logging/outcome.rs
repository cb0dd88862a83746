//! How a request ended, and which kind of line that makes.

use std::{error::Error, fmt};

use seawall_core::{Cause, Failure, Reporter, attempts::StopReason, internal::chain};

use super::{Level, level::Levels, record::ResponseDetails, settings::Role};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The response's body ended.
    Complete,
    /// The call or the response's body failed.
    Error,
    /// The caller dropped the response's body before its end.
    Dropped,
    /// The caller dropped the call before the response.
    Cancelled,
    /// The inner service panicked, and the call was dropped after that.
    Panicked,
}

/// The end of a request: its outcome and the reasons for it.
#[derive(Clone, Copy)]
pub(super) struct Completion<'a> {
    pub(super) outcome: Outcome,
    pub(super) failure: Option<Failure>,
    /// The number of requests sent, the first included.
    pub(super) attempts: Option<u32>,
    /// Why the retry stopped.
    pub(super) stop_reason: Option<StopReason>,
    /// The text of the error.
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

/// The kind of a line, which decides its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Success,
    Retried,
    ClientError,
    Failure,
    /// Rejected by a layer of this process.
    Rejected,
    Cancelled,
}

impl LineKind {
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
    /// Combines an outcome with the reasons that the response's head gave, if it came.
    pub(super) fn new(outcome: Outcome, response: Option<&ResponseDetails>) -> Self {
        Self {
            outcome,
            failure: response.and_then(|response| response.failure),
            attempts: response.and_then(|response| response.attempts),
            stop_reason: response.and_then(|response| response.stop_reason),
            message: None,
        }
    }

    pub(super) fn kind(&self, role: Role) -> LineKind {
        match (self.outcome, self.failure) {
            (Outcome::Panicked, _) | (Outcome::Error, None) => LineKind::Failure,
            (_, Some(failure)) => match failure.cause() {
                Cause::ClientError | Cause::Conflict => LineKind::ClientError,
                Cause::CircuitOpen => LineKind::Rejected,
                // Reported by this process, it is a limit of ours.
                Cause::ConnectionLimitReached if failure.reporter() == Reporter::Local => {
                    LineKind::Rejected
                }
                Cause::Cancelled => LineKind::Cancelled,
                _ => LineKind::Failure,
            },
            (Outcome::Dropped | Outcome::Cancelled, None) => LineKind::Cancelled,
            (Outcome::Complete, None) => {
                let is_retried = self.attempts.is_some_and(|attempts| attempts > 1);
                if is_retried && role == Role::Client {
                    LineKind::Retried
                } else {
                    LineKind::Success
                }
            }
        }
    }
}

/// Returns whether an error's text may contain the URL of the request, and so its secrets.
pub(super) fn may_contain_url(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "reqwest-0_13")]
    return error.is::<reqwest::Error>();
    #[cfg(not(feature = "reqwest-0_13"))]
    {
        let _ = error;
        false
    }
}

/// Returns the innermost source. It is the most specific, and those around it may repeat it or contain a URL.
pub(super) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    chain(error).filter(|it| !it.is::<Failure>()).last()
}
