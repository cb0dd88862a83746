use std::{error::Error, fmt};

/// What is wrong with a script. An upstream tells when it is given one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidScript {
    /// It has no step at all.
    Empty,
    /// [`Script::random`](super::Script::random) was given no chance.
    NoChances,
    /// The chances sum up to more than one.
    MoreThanOne,
    /// A final status is a number from 200 to 999 (RFC 9110 §15: what is below 200 is interim).
    Status(u16),
    /// No name or value of a header.
    Header {
        /// The name, as given.
        name: String,
    },
    /// `content-length` and `transfer-encoding` are the upstream's to write.
    /// [`Step::truncated`](super::Step::truncated) announces more than is sent.
    Framing,
    /// [`Step::refuse`](super::Step::refuse) and [`Step::error`](super::Step::error) are for use in process. A socket is
    /// refused before there is a request that could take a step: see
    /// [`FlakyUpstream::refuse`](super::FlakyUpstream::refuse).
    NotOnSocket,
}

impl fmt::Display for InvalidScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a script needs a step"),
            Self::NoChances => f.write_str("a script by chance needs a chance"),
            Self::MoreThanOne => f.write_str("the chances sum up to more than one"),
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
