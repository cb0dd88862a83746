//! The retry limits per kind of failure, as in urllib3: `total`, `connect`, `read`, `status` and
//! `other`.

use seawall_core::{Cause, Failure};

use super::StopReason;

/// The maximum number of retries of a call, in total and per kind of failure. `None` is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) total: Option<u32>,
    pub(crate) connect: Option<u32>,
    pub(crate) read: Option<u32>,
    pub(crate) status: Option<u32>,
    pub(crate) other: Option<u32>,
}

/// The number of retries that a call has made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RetryCounts {
    pub(crate) total: u32,
    connect: u32,
    read: u32,
    status: u32,
    other: u32,
}

/// The kind of failure, which selects the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureKind {
    Connect,
    Read,
    Status,
    Other,
}

impl FailureKind {
    fn from_failure(failure: &Failure) -> Self {
        if failure.status().is_some() {
            return Self::Status;
        }
        match failure.cause() {
            Cause::DnsTimeout
            | Cause::DnsError
            | Cause::DestinationUnavailable
            | Cause::DestinationIpProhibited
            | Cause::DestinationIpUnroutable
            | Cause::ConnectionRefused
            | Cause::ConnectionTimeout => Self::Connect,
            Cause::ConnectionTerminated
            | Cause::ConnectionReadTimeout
            | Cause::ConnectionWriteTimeout
            | Cause::HttpResponseIncomplete
            | Cause::HttpResponseTransferCoding
            | Cause::HttpResponseTimeout
            | Cause::HttpProtocolError => Self::Read,
            _ => Self::Other,
        }
    }
}

impl RetryCounts {
    /// Returns whether the total limit allows another retry.
    pub(super) fn is_below_total(&self, limits: &Limits) -> bool {
        limits.total.is_none_or(|limit| self.total < limit)
    }

    /// Counts a retry after `failure`. Returns an error with the reason if a limit forbids the
    /// retry.
    pub(super) fn add_retry(
        mut self,
        failure: &Failure,
        limits: &Limits,
    ) -> Result<Self, StopReason> {
        let (count, limit, stop_reason) = match FailureKind::from_failure(failure) {
            FailureKind::Connect => {
                (&mut self.connect, limits.connect, StopReason::MaxConnectRetries)
            }
            FailureKind::Read => (&mut self.read, limits.read, StopReason::MaxReadRetries),
            FailureKind::Status => (&mut self.status, limits.status, StopReason::MaxStatusRetries),
            FailureKind::Other => (&mut self.other, limits.other, StopReason::MaxOtherRetries),
        };
        increment(&mut self.total, limits.total, StopReason::MaxRetries)?;
        increment(count, limit, stop_reason)?;
        Ok(self)
    }
}

fn increment(
    count: &mut u32,
    limit: Option<u32>,
    stop_reason: StopReason,
) -> Result<(), StopReason> {
    if limit.is_some_and(|limit| *count >= limit) {
        return Err(stop_reason);
    }
    *count = count.saturating_add(1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNLIMITED: Limits =
        Limits { total: None, connect: None, read: None, status: None, other: None };

    #[test]
    fn failure_kind_matches_urllib3() {
        for (cause, kind) in [
            (Cause::ConnectionRefused, FailureKind::Connect),
            (Cause::ConnectionTimeout, FailureKind::Connect),
            (Cause::DnsError, FailureKind::Connect),
            (Cause::HttpResponseTimeout, FailureKind::Read),
            (Cause::ConnectionTerminated, FailureKind::Read),
            (Cause::HttpProtocolError, FailureKind::Read),
            (Cause::TlsProtocolError, FailureKind::Other),
            (Cause::Unknown, FailureKind::Other),
        ] {
            assert_eq!(FailureKind::from_failure(&Failure::new(cause)), kind, "{cause}");
            let with_status = Failure::new(cause).with_status(http::StatusCode::BAD_GATEWAY);
            assert_eq!(FailureKind::from_failure(&with_status), FailureKind::Status, "{cause}");
        }
    }

    #[test]
    fn counts_stop_at_first_exhausted_limit() {
        let refused = Failure::new(Cause::ConnectionRefused);
        let limits = Limits { total: Some(2), connect: Some(1), ..UNLIMITED };
        let one = RetryCounts::default().add_retry(&refused, &limits).unwrap();
        assert_eq!(one.add_retry(&refused, &limits).unwrap_err(), StopReason::MaxConnectRetries);
        let terminated = Failure::new(Cause::ConnectionTerminated);
        let two = one.add_retry(&terminated, &limits).unwrap();
        assert_eq!(two.add_retry(&terminated, &limits).unwrap_err(), StopReason::MaxRetries);
        assert!(one.is_below_total(&limits) && !two.is_below_total(&limits));
    }

    #[test]
    fn counts_saturate_when_unlimited() {
        let mut counts = RetryCounts { total: u32::MAX, read: u32::MAX, ..RetryCounts::default() };
        for _ in 0..3 {
            let terminated = Failure::new(Cause::ConnectionTerminated);
            counts = counts.add_retry(&terminated, &UNLIMITED).unwrap();
        }
        assert_eq!(counts.total, u32::MAX);
    }
}
