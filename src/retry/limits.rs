//! How many retries are left of which kind: urllib3's `total`, `connect`, `read`, `status` and `other`.

use seawall_core::{Cause, Failure};

use super::StopReason;

/// How many retries a call may have of each kind; `None`: no limit of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) total: Option<u32>,
    pub(super) connect: Option<u32>,
    pub(super) read: Option<u32>,
    pub(super) status: Option<u32>,
    pub(super) other: Option<u32>,
}

/// How many retries a call has had.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RetryCounts {
    pub(super) total: u32,
    connect: u32,
    read: u32,
    status: u32,
    other: u32,
}

/// What a failure counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connect,
    Read,
    Status,
    Other,
}

impl Kind {
    fn of(failure: &Failure) -> Self {
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
    /// Whether another retry of a total is left.
    pub(super) fn total_left(&self, limits: &Limits) -> bool {
        limits.total.is_none_or(|limit| self.total < limit)
    }

    /// What is spent once `failure` is retried, or which limit forbids that.
    pub(super) fn after(mut self, failure: &Failure, limits: &Limits) -> Result<Self, StopReason> {
        let kind = Kind::of(failure);
        let (spent, limit, stop_reason) = match kind {
            Kind::Connect => (&mut self.connect, limits.connect, StopReason::MaxConnectRetries),
            Kind::Read => (&mut self.read, limits.read, StopReason::MaxReadRetries),
            Kind::Status => (&mut self.status, limits.status, StopReason::MaxStatusRetries),
            Kind::Other => (&mut self.other, limits.other, StopReason::MaxOtherRetries),
        };
        take(&mut self.total, limits.total, StopReason::MaxRetries)?;
        take(spent, limit, stop_reason)?;
        Ok(self)
    }
}

fn take(spent: &mut u32, limit: Option<u32>, stop_reason: StopReason) -> Result<(), StopReason> {
    if limit.is_some_and(|limit| *spent >= limit) {
        return Err(stop_reason);
    }
    *spent = spent.saturating_add(1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Limits =
        Limits { total: None, connect: None, read: None, status: None, other: None };

    #[test]
    fn each_cause_counts_as_what_urllib3_counts_it() {
        for (cause, kind) in [
            (Cause::ConnectionRefused, Kind::Connect),
            (Cause::ConnectionTimeout, Kind::Connect),
            (Cause::DnsError, Kind::Connect),
            (Cause::HttpResponseTimeout, Kind::Read),
            (Cause::ConnectionTerminated, Kind::Read),
            (Cause::HttpProtocolError, Kind::Read),
            (Cause::TlsProtocolError, Kind::Other),
            (Cause::Unknown, Kind::Other),
        ] {
            assert_eq!(Kind::of(&Failure::new(cause)), kind, "{cause}");
            let answered = Failure::new(cause).with_status(http::StatusCode::BAD_GATEWAY);
            assert_eq!(Kind::of(&answered), Kind::Status, "{cause}");
        }
    }

    #[test]
    fn the_first_limit_that_is_spent_stops() {
        let refused = Failure::new(Cause::ConnectionRefused);
        let limits = Limits { total: Some(2), connect: Some(1), ..NONE };
        let once = RetryCounts::default().after(&refused, &limits).unwrap();
        assert_eq!(once.after(&refused, &limits).unwrap_err(), StopReason::MaxConnectRetries);
        let cut = Failure::new(Cause::ConnectionTerminated);
        let twice = once.after(&cut, &limits).unwrap();
        assert_eq!(twice.after(&cut, &limits).unwrap_err(), StopReason::MaxRetries);
        assert!(once.total_left(&limits) && !twice.total_left(&limits));
    }

    #[test]
    fn without_a_limit_nothing_stops_nor_overflows() {
        let mut spent = RetryCounts { total: u32::MAX, read: u32::MAX, ..RetryCounts::default() };
        for _ in 0..3 {
            spent = spent.after(&Failure::new(Cause::ConnectionTerminated), &NONE).unwrap();
        }
        assert_eq!(spent.total, u32::MAX);
    }
}
