//! What went wrong, who says so, and whether the request may have been acted upon.
//!
//! [`Failure`] is the one value that every layer reads: a classifier makes it, retry decides by it, the log names
//! it, an error response is built from it. It is small and `Copy`; its parts are [`Cause`], [`Reporter`] (with
//! [`Product`]) and [`Processed`].

mod advice;
mod cause;
pub(crate) mod evidence;
mod processed;
mod reporter;

use std::{error::Error, fmt, time::Duration};

use http::StatusCode;

pub use self::{
    cause::{Cause, ParseCauseError},
    processed::Processed,
    reporter::{Product, Reporter},
};

/// One upstream failure: what went wrong, who says so, whether the request may have been acted upon, and what the
/// server asked for.
///
/// It is itself an [`Error`], so that an error of yours joins in: return a `Failure` from its `source()` and every
/// layer treats your error as that failure.
///
/// ```
/// use seawall::{Cause, Failure, Processed, Product, Reporter};
///
/// let failure = Failure::new(Cause::ConnectionRefused)
///     .with_reporter(Reporter::Gateway(Product::Nginx))
///     .with_status(http::StatusCode::BAD_GATEWAY)
///     .with_processed(Processed::Unlikely);
/// assert_eq!(
///     failure.to_string(),
///     "connection refused (reported by nginx, status 502; probably not processed)",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    cause: Cause,
    reporter: Reporter,
    processed: Processed,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
    retry_hint: Option<bool>,
    /// Nothing of the request was ever written: more than "not processed".
    never_written: bool,
    stale_connection: bool,
}

impl Failure {
    /// A failure of which only the cause is known: reporter [`Unknown`](Reporter::Unknown), processed
    /// [`Maybe`](Processed::Maybe), nothing else.
    #[must_use]
    pub const fn new(cause: Cause) -> Self {
        Self {
            cause,
            reporter: Reporter::Unknown,
            processed: Processed::Maybe,
            status: None,
            retry_after: None,
            retry_hint: None,
            never_written: false,
            stale_connection: false,
        }
    }

    pub(crate) const fn with_cause(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// Sets who reports the failure.
    #[must_use]
    pub const fn with_reporter(self, reporter: Reporter) -> Self {
        Self { reporter, ..self }
    }

    /// Sets whether the request may have been acted upon. [`Processed::No`] is a proof that lets a payment be sent
    /// again: read its documentation first.
    #[must_use]
    pub const fn with_processed(self, processed: Processed) -> Self {
        Self { processed, ..self }
    }

    /// Sets the status that reported the failure.
    #[must_use]
    pub const fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Sets how long the server asks to wait; `None`: it does not say.
    #[must_use]
    pub const fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Sets the server's explicit word on repeating the request; `None`: it does not say.
    #[must_use]
    pub const fn with_retry_hint(self, retry_hint: Option<bool>) -> Self {
        Self { retry_hint, ..self }
    }

    pub(crate) const fn with_never_written(self, never_written: bool) -> Self {
        Self { never_written, ..self }
    }

    pub(crate) const fn with_stale_connection(self, stale_connection: bool) -> Self {
        Self { stale_connection, ..self }
    }

    /// Whether the request was written to a connection that had been used before and was closed without a byte of an
    /// answer: most likely the server had just closed it for idleness. Known only with
    /// `seawall::hyper_util::TrackReuse`.
    #[must_use]
    pub const fn is_stale_connection(&self) -> bool {
        self.stale_connection
    }

    pub(crate) const fn never_written(&self) -> bool {
        self.never_written
    }

    /// What went wrong.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// Who says so.
    #[must_use]
    pub const fn reporter(&self) -> Reporter {
        self.reporter
    }

    /// Whether the origin may have acted on the request.
    #[must_use]
    pub const fn processed(&self) -> Processed {
        self.processed
    }

    /// The status that reported it; `None` when no response came.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// How long the server asks to wait (`Retry-After`, `retry-after-ms`, gRPC pushback): at most a year, and zero
    /// for a date that has passed.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The server's explicit yes or no to repeating the request (`x-should-retry`, gRPC pushback).
    #[must_use]
    pub const fn retry_hint(&self) -> Option<bool> {
        self.retry_hint
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.cause.as_str().split('_').enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        f.write_str(" (")?;
        if self.stale_connection {
            f.write_str("stale keep-alive, ")?;
        }
        match self.reporter {
            Reporter::Local => f.write_str("seen here")?,
            Reporter::Gateway(product) => write!(f, "reported by {product}")?,
            Reporter::Origin => f.write_str("reported by the origin")?,
            Reporter::Unknown => {}
        }
        if let Some(status) = self.status {
            let comma = if self.reporter == Reporter::Unknown { "" } else { ", " };
            write!(f, "{comma}status {}", status.as_u16())?;
        }
        if self.reporter != Reporter::Unknown || self.status.is_some() {
            f.write_str("; ")?;
        }
        f.write_str(match self.processed {
            Processed::No => "not processed)",
            Processed::Unlikely => "probably not processed)",
            Processed::Maybe => "may have been processed)",
            Processed::Yes => "processed)",
        })
    }
}

impl Error for Failure {}
