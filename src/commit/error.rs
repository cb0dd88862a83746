use std::{error::Error, fmt};

use seawall_core::{BoxError, Cause, Failure, Processed, Reporter, classify::classify_body_error};

/// The error of a call whose response failed before it was committed. The caller has seen nothing
/// of the response.
///
/// Its `source()` is a [`Failure`], which every layer of this crate recognizes.
#[derive(Debug)]
pub struct FailedBeforeCommit {
    reason: Reason,
    /// The source. It is stored, because `source()` returns a reference.
    failure: Failure,
}

enum Reason {
    /// The judge has recognized an error in this text.
    Reported(Box<str>),
    Ended,
    BrokeOff(BoxError),
    TooSlow {
        bytes_per_second: u32,
    },
}

impl FailedBeforeCommit {
    #[cold]
    pub(super) fn reported(failure: Failure, text: String) -> Self {
        Self { reason: Reason::Reported(text.into()), failure }
    }

    #[cold]
    pub(super) fn ended(failure: Failure) -> Self {
        Self { reason: Reason::Ended, failure }
    }

    #[cold]
    pub(super) fn broke_off(error: BoxError) -> Self {
        let failure = classify_body_error(&*error);
        Self { reason: Reason::BrokeOff(error), failure }
    }

    #[cold]
    pub(super) fn too_slow(bytes_per_second: u32) -> Self {
        // RFC 9209 §2.3.26: the complete response was not received within a limit.
        let failure = Failure::new(Cause::HttpResponseTimeout)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::Yes);
        Self { reason: Reason::TooSlow { bytes_per_second }, failure }
    }

    /// Returns the failure.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Returns the data of the event, or the body, in which the judge recognized an error.
    ///
    /// The upstream has chosen the text. A gateway may send it to its caller in place of the
    /// response. Neither `Display` nor `Debug` contains it.
    #[must_use]
    pub fn reported_error(&self) -> Option<&str> {
        match &self.reason {
            Reason::Reported(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the error of the body, if the body failed.
    #[must_use]
    pub fn body_error(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::BrokeOff(error) => Some(&**error),
            _ => None,
        }
    }
}

impl fmt::Display for FailedBeforeCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Reported(_) => f.write_str("the response has an error in place of content"),
            Reason::Ended => f.write_str("the response ended before its content"),
            Reason::BrokeOff(error) => {
                write!(f, "the response broke off before its content: {error}")
            }
            Reason::TooSlow { bytes_per_second } => {
                write!(f, "the response brought less than {bytes_per_second} bytes per second")
            }
        }
    }
}

impl Error for FailedBeforeCommit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported(text) => f.debug_struct("Reported").field("len", &text.len()).finish(),
            Self::Ended => f.write_str("Ended"),
            Self::BrokeOff(error) => f.debug_tuple("BrokeOff").field(error).finish(),
            Self::TooSlow { bytes_per_second } => {
                f.debug_tuple("TooSlow").field(bytes_per_second).finish()
            }
        }
    }
}
