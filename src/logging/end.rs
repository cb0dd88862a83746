use std::{error::Error, fmt};

use super::{
    Level,
    settings::{Settings, Side},
};
use crate::{
    error::chain,
    failure::{Cause, Failure, Reporter},
};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    /// An error in place of the response, or in its body.
    Error,
    /// The caller dropped the response's body before its end.
    Dropped,
    /// The caller dropped the call before a response.
    Cancelled,
    /// It was dropped because the thread panicked.
    Panicked,
}

/// What is known once it is over.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) end: End,
    pub(super) failure: Option<Failure>,
    /// Requests sent, the first included.
    pub(super) attempts: Option<u32>,
    pub(super) stop: Option<&'static str>,
    pub(super) message: Option<&'a dyn fmt::Display>,
}

impl End {
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

/// What kind of line it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Success,
    Retried,
    ClientError,
    Failure,
    Refused,
    Cancelled,
}

impl Ending<'_> {
    pub(super) fn kind(&self, side: Side) -> Kind {
        match (self.end, self.failure) {
            (End::Panicked, _) | (End::Error, None) => Kind::Failure,
            (_, Some(failure)) => match failure.cause() {
                Cause::ClientError | Cause::Conflict => Kind::ClientError,
                Cause::CircuitOpen => Kind::Refused,
                // Of that cause, what this process says itself is a limit of ours.
                Cause::ConnectionLimitReached if failure.reporter() == Reporter::Local => {
                    Kind::Refused
                }
                Cause::Cancelled => Kind::Cancelled,
                _ => Kind::Failure,
            },
            (End::Dropped | End::Cancelled, None) => Kind::Cancelled,
            (End::Complete, None)
                if side == Side::Client && self.attempts.is_some_and(|n| n > 1) =>
            {
                Kind::Retried
            }
            (End::Complete, None) => Kind::Success,
        }
    }

    pub(super) fn level(&self, settings: &Settings) -> Level {
        let levels = &settings.levels;
        match self.kind(settings.side) {
            Kind::Success => levels.success,
            Kind::Retried => levels.retried,
            Kind::ClientError => levels.client_error.unwrap_or(levels.success),
            Kind::Failure => levels.failure,
            Kind::Refused => levels.refused,
            Kind::Cancelled => levels.cancelled,
        }
    }
}

/// Whether an error's own text may contain the URL of the request, with all that is secret in it.
pub(super) fn quotes_url(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "reqwest-0_13")]
    return error.is::<reqwest::Error>();
    #[cfg(not(feature = "reqwest-0_13"))]
    {
        let _ = error;
        false
    }
}

/// The innermost source: it says most and repeats least; what stands around it may quote a URL.
pub(super) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    chain(error).filter(|it| !it.is::<Failure>()).last()
}
