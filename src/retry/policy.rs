use std::time::Duration;

use http::Method;

use super::{Backoff, Stop, protocol::About};
use crate::{Cause, Failure, Processed};

/// The settings of a [`RetryLayer`](super::RetryLayer), and the decision they lead to: no clock, no I/O.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) total: Option<u32>,
    pub(super) methods: Methods,
    pub(super) statuses: Vec<u16>,
    pub(super) backoff: Backoff,
    pub(super) respect_retry_after: bool,
    pub(super) retry_after_max: Duration,
    pub(super) total_delay_max: Duration,
    pub(super) retry_unlikely: bool,
    pub(super) body_limit: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Methods {
    /// RFC 9110 §9.2.2.
    Idempotent,
    Any,
    Only(Vec<Method>),
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            total: Some(3),
            methods: Methods::Idempotent,
            statuses: vec![429, 500, 502, 503, 504],
            backoff: Backoff::default(),
            respect_retry_after: true,
            retry_after_max: Duration::from_secs(20),
            total_delay_max: Duration::from_secs(30),
            retry_unlikely: false,
            body_limit: 64 * 1024,
        }
    }
}

impl Policy {
    /// How long to wait before the next attempt, or why there is none.
    ///
    /// `made` counts the attempts made so far; `waited` is the sum of the waits between them.
    pub(super) fn decide(
        &self,
        failure: &Failure,
        about: &About<'_>,
        made: u32,
        waited: Duration,
        random: impl FnOnce() -> f64,
    ) -> Result<Duration, Stop> {
        match failure.retry_hint() {
            Some(false) => return Err(Stop::ServerSaysNo),
            Some(true) => {}
            None if self.may_mend(failure) => {}
            None => return Err(Stop::NotRetryable),
        }
        if !self.is_safe(failure, about) {
            return Err(Stop::MethodNotAllowed);
        }
        if self.total.is_some_and(|total| made > total) {
            return Err(Stop::TotalSpent);
        }
        let delay = self.delay(failure, made, random)?;
        if waited.saturating_add(delay) > self.total_delay_max {
            return Err(Stop::WaitTooLong);
        }
        Ok(delay)
    }

    fn may_mend(&self, failure: &Failure) -> bool {
        match failure.status() {
            // gRPC reports failures with a status of 200.
            Some(status) if status.as_u16() >= 400 => self.statuses.contains(&status.as_u16()),
            _ => may_pass(failure.cause()),
        }
    }

    fn is_safe(&self, failure: &Failure, about: &About<'_>) -> bool {
        let allowed = about.method.is_none_or(|method| match &self.methods {
            Methods::Idempotent => method.is_idempotent(),
            Methods::Any => true,
            Methods::Only(methods) => methods.contains(method),
        });
        let unprocessed = match failure.processed() {
            Processed::No => true,
            Processed::Unlikely => self.retry_unlikely,
            Processed::Maybe | Processed::Yes => false,
        };
        allowed || about.idempotency_key || unprocessed
    }

    fn delay(
        &self,
        failure: &Failure,
        made: u32,
        random: impl FnOnce() -> f64,
    ) -> Result<Duration, Stop> {
        match failure.retry_after().filter(|_| self.respect_retry_after) {
            // Zero is no wish for a wait; our own still spreads the callers.
            None | Some(Duration::ZERO) => Ok(self.backoff.delay(made, random)),
            Some(asked) if asked > self.retry_after_max => Err(Stop::WaitTooLong),
            // Jitter upward only: before its time the server would refuse again. A tenth spreads callers that were
            // all told the same second.
            Some(asked) => Ok(asked.saturating_add(asked.mul_f64(0.1 * random().clamp(0.0, 1.0)))),
        }
    }
}

/// Whether a failure that no status reported may be gone at the next try.
const fn may_pass(cause: Cause) -> bool {
    match cause {
        Cause::DnsTimeout
        | Cause::DnsError
        | Cause::DestinationUnavailable
        | Cause::DestinationIpUnroutable
        | Cause::ConnectionRefused
        | Cause::ConnectionTerminated
        | Cause::ConnectionTimeout
        | Cause::ConnectionReadTimeout
        | Cause::ConnectionWriteTimeout
        | Cause::TlsProtocolError
        | Cause::TlsAlertReceived
        | Cause::HttpResponseIncomplete
        | Cause::HttpResponseTransferCoding
        | Cause::HttpResponseTimeout
        | Cause::HttpProtocolError
        | Cause::RateLimited
        | Cause::Overloaded
        | Cause::BadGateway
        | Cause::GatewayTimeout => true,
        // The same request meets the same end (certificates, sizes, configuration), the request is at fault, or the
        // refusal is our own and meant to be one.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    fn about(method: &Method) -> About<'_> {
        About {
            method: Some(method),
            idempotency_key: false,
        }
    }

    #[test]
    fn every_cause_is_decided_without_a_panic_and_only_no_lets_a_post_pass() {
        for &cause in Cause::ALL {
            for processed in [
                Processed::No,
                Processed::Unlikely,
                Processed::Maybe,
                Processed::Yes,
            ] {
                let failure = Failure::new(cause).with_processed(processed);
                let decision = Policy::default().decide(
                    &failure,
                    &about(&Method::POST),
                    1,
                    Duration::ZERO,
                    || 0.5,
                );
                assert!(
                    decision.is_err() || processed == Processed::No,
                    "{cause} {processed}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_retry_after_asks_and_never_beyond_its_limits(
            asked in any::<Duration>(), waited in any::<Duration>(), made in 1_u32..4, random in 0.0..1.0,
        ) {
            let policy = Policy::default();
            let failure = Failure::new(Cause::Overloaded)
                .with_status(StatusCode::SERVICE_UNAVAILABLE)
                .with_retry_after(Some(asked));
            if let Ok(delay) = policy.decide(&failure, &about(&Method::GET), made, waited, || random) {
                prop_assert!(delay >= asked);
                prop_assert!(asked <= policy.retry_after_max);
                prop_assert!(waited + delay <= policy.total_delay_max);
            }
        }
    }
}
