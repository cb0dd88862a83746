use std::{error::Error, fmt};

use seawall_core::{Cause, Failure, Processed, Reporter};

/// The error of a request whose target has no URL at an upstream.
///
/// Its `source()` is a [`Failure`] with the cause [`HttpRequestError`](Cause::HttpRequestError),
/// [not processed](Processed::No). `ErrorResponseLayer` responds with 400. The text does not
/// contain the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedTarget {
    pub(super) kind: TargetKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetKind {
    Connect,
    NoPath,
    TooLong,
}

static FAILURE: Failure = Failure::new(Cause::HttpRequestError)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::No);

impl fmt::Display for UnsupportedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TargetKind::Connect => "unsupported request method: CONNECT",
            TargetKind::NoPath => {
                "unsupported request target: expected a path or a URL, found `*` or an authority"
            }
            TargetKind::TooLong => "unsupported request target: too long",
        })
    }
}

impl Error for UnsupportedTarget {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&FAILURE)
    }
}

/// The error of a text or a URL that is not that of an upstream.
///
/// The message does not contain the URL, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUpstreamUri(pub(super) &'static str);

impl fmt::Display for InvalidUpstreamUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid URL of an upstream: {}", self.0)
    }
}

impl Error for InvalidUpstreamUri {}
