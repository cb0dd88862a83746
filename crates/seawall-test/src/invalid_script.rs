use std::{error::Error, fmt};

/// The error of an invalid script. An upstream returns it when it gets the script.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidScript {
    /// The script has no step.
    Empty,
    /// [`Script::random`](crate::Script::random) has no probabilities.
    NoProbabilities,
    /// The sum of the probabilities exceeds one.
    ProbabilitySumExceedsOne,
    /// The status is not a final status, from 200 to 999. A status below 200 is interim (RFC 9110
    /// §15).
    Status(u16),
    /// The name or value of a header is invalid.
    Header {
        /// The name.
        name: String,
    },
    /// The script sets `content-length` or `transfer-encoding`, which the upstream sets itself. To
    /// announce more than is sent, use [`Step::truncated`](crate::Step::truncated).
    Framing,
    /// The script of a socket has a step that works in process only: [`Step::refuse`] or
    /// [`Step::error`]. To refuse connections on a socket, use [`FlakyUpstream::refuse`].
    ///
    /// [`FlakyUpstream::refuse`]: crate::FlakyUpstream::refuse
    /// [`Step::error`]: crate::Step::error
    /// [`Step::refuse`]: crate::Step::refuse
    NotOnSocket,
}

impl fmt::Display for InvalidScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected at least one step in the script"),
            Self::NoProbabilities => {
                f.write_str("expected at least one probability in the random script")
            }
            Self::ProbabilitySumExceedsOne => {
                f.write_str("expected probabilities with a sum of at most one")
            }
            Self::Status(status) => {
                write!(f, "expected a final status from 200 to 999, found {status}")
            }
            Self::Header { name } => {
                write!(f, "expected a valid header name and value, found {name:?}")
            }
            Self::Framing => {
                f.write_str("content-length and transfer-encoding cannot be set by a script")
            }
            Self::NotOnSocket => f.write_str(
                "Step::refuse and Step::error work in process only; on a socket, use \
                 FlakyUpstream::refuse",
            ),
        }
    }
}

impl Error for InvalidScript {}
