use std::{error::Error, fmt};

/// The error of an invalid script, returned when an upstream receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidScript {
    /// The script has no step.
    Empty,
    /// [`Script::random`](crate::Script::random) has no chance.
    NoProbabilities,
    /// The sum of the chances exceeds one.
    ProbabilitySumExceedsOne,
    /// The number is not a final status, from 200 to 999 (RFC 9110 §15: a status below 200 is interim).
    Status(u16),
    /// The name or value of a header is invalid.
    Header {
        /// The name.
        name: String,
    },
    /// `content-length` and `transfer-encoding` are set by the upstream. [`Step::truncated`](crate::Step::truncated) announces more than
    /// is sent.
    Framing,
    /// [`Step::refuse`](crate::Step::refuse) and [`Step::error`](crate::Step::error) work in process only. A socket is
    /// refused before a request is sent: see
    /// [`FlakyUpstream::refuse`](crate::FlakyUpstream::refuse).
    NotOnSocket,
}

impl fmt::Display for InvalidScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a script needs a step"),
            Self::NoProbabilities => f.write_str("a script by chance needs a chance"),
            Self::ProbabilitySumExceedsOne => f.write_str("the chances sum up to more than one"),
            Self::Status(status) => write!(f, "{status} is no final status: from 200 to 999"),
            Self::Header { name } => write!(f, "{name:?} or its value is no header"),
            Self::Framing => {
                f.write_str("content-length and transfer-encoding are written by the upstream")
            }
            Self::NotOnSocket => f.write_str(
                "steps that refuse or fail with an error are for use in process; a socket is \
                 refused by FlakyUpstream::refuse",
            ),
        }
    }
}

impl Error for InvalidScript {}
