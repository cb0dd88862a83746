//! The failure of an upstream: its cause, its reporter, and whether the request was processed.
//!
//! Every layer reads [`Failure`]. A classifier creates it, the retry layer uses it to decide, the
//! log contains it, and an error response describes it. It is small and `Copy`. Its parts are
//! [`Cause`], [`Reporter`] (with [`Product`]) and [`Processed`].

mod advice;
mod blame;
mod cause;
mod detail;
mod processed;
mod reporter;

use std::{error::Error, fmt, time::Duration};

use http::StatusCode;

pub use self::{
    blame::Blame,
    cause::{Cause, ParseCauseError},
    detail::{ClosedBy, Detail, Resource},
    processed::Processed,
    reporter::{Product, Reporter},
};

/// One failure of an upstream: its cause, its reporter, whether the request was processed, and the
/// wait that the server requests.
///
/// It is an [`Error`]. If `source()` of your error returns a `Failure`, every layer treats your
/// error as that failure.
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
    /// If true, `processed` is [`Processed::No`]. The caller of the setter ensures this.
    never_written: bool,
    detail: Option<Detail>,
}

impl Failure {
    /// Creates a failure with a cause. The reporter is [`Reporter::Unknown`], and `processed` is
    /// [`Processed::Maybe`].
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
            detail: None,
        }
    }

    /// Sets the cause.
    #[cfg(feature = "fingerprint")]
    pub(crate) const fn with_cause(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// Sets the reporter.
    #[must_use]
    pub const fn with_reporter(self, reporter: Reporter) -> Self {
        Self { reporter, ..self }
    }

    /// Sets whether the request was processed.
    ///
    /// With [`Processed::No`], even a payment may be sent again. Read the documentation of
    /// `Processed::No` before you set it.
    #[must_use]
    pub const fn with_processed(self, processed: Processed) -> Self {
        Self { processed, ..self }
    }

    /// Sets the status of the response that reported the failure.
    #[must_use]
    pub const fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Sets the wait that the server requests. `None` means that it requests none.
    #[must_use]
    pub const fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Sets whether the server requests a retry (`true`) or forbids it (`false`). `None` means that
    /// it does neither.
    #[must_use]
    pub const fn with_retry_hint(self, retry_hint: Option<bool>) -> Self {
        Self { retry_hint, ..self }
    }

    pub(crate) const fn with_never_written(self, never_written: bool) -> Self {
        Self { never_written, ..self }
    }

    /// Sets the detail of the cause. `None` means that no detail is known.
    #[must_use]
    pub const fn with_detail(self, detail: Option<Detail>) -> Self {
        Self { detail, ..self }
    }

    /// Returns whether a reused connection closed after the request was written and before any byte
    /// of the response arrived, and was idle for at least a second before the request. Most likely
    /// the server closed it because it was idle. Known only with
    /// `seawall::hyper_util::TrackReuse`.
    #[must_use]
    pub const fn is_stale_connection(&self) -> bool {
        matches!(self.detail, Some(Detail::StaleConnection { .. }))
    }

    /// Returns whether no byte of the request was written to a connection.
    #[must_use]
    pub const fn is_never_written(&self) -> bool {
        self.never_written
    }

    /// Returns the cause.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// Returns the detail of the cause, if one is known.
    #[must_use]
    pub const fn detail(&self) -> Option<Detail> {
        self.detail
    }

    /// Returns the party at fault. The [cause](Cause::blame) determines it, unless the detail shows
    /// another party.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self.detail {
            Some(detail) => match detail.blame() {
                Some(blame) => blame,
                None => self.cause.blame(),
            },
            None => self.cause.blame(),
        }
    }

    /// Returns the status of a gateway's response. The [cause](Cause::gateway_status) determines
    /// it, unless the detail has its own status, such as 413.
    #[must_use]
    pub const fn gateway_status(&self) -> StatusCode {
        match self.detail {
            Some(detail) => match detail.gateway_status() {
                Some(status) => status,
                None => self.cause.gateway_status(),
            },
            None => self.cause.gateway_status(),
        }
    }

    /// Returns the first step of a diagnosis, in one sentence. The [cause](Cause::advice)
    /// determines it, unless the detail has a more specific sentence.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self.detail {
            Some(detail) => match detail.advice() {
                Some(advice) => advice,
                None => self.cause.advice(),
            },
            None => self.cause.advice(),
        }
    }

    /// Returns the reporter.
    #[must_use]
    pub const fn reporter(&self) -> Reporter {
        self.reporter
    }

    /// Returns whether the origin may have processed the request.
    #[must_use]
    pub const fn processed(&self) -> Processed {
        self.processed
    }

    /// Returns the status of the response that reported the failure; `None` without a response.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns the wait that the server requests (`Retry-After`, `retry-after-ms`, gRPC pushback).
    /// It is at most a year, and zero for a date in the past.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns whether the server requests a retry (`true`) or forbids it (`false`). `None` means
    /// that it does neither. Its sources are `x-should-retry` and gRPC pushback.
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
        if let Some(detail) = self.detail {
            write!(f, "{detail}, ")?;
        }
        match self.reporter {
            Reporter::Local => f.write_str("detected locally")?,
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
