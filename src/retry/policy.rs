use std::time::Duration;

use http::{HeaderName, Method};
use seawall_core::{Cause, Failure, Processed};

use super::{
    Backoff, StopReason,
    event::Hook,
    limits::{Limits, RetryCounts},
    request_facts::RequestFacts,
};
use crate::jitter::scale;

/// The settings of a [`RetryLayer`](super::RetryLayer), and the decision they lead to: no clock, no I/O.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) limits: Limits,
    pub(super) methods: Methods,
    pub(super) statuses: Vec<u16>,
    /// Those of them that are no failures by themselves.
    pub(super) retryable_success_statuses: Vec<u16>,
    pub(super) backoff: Backoff,
    pub(super) retry_after: RetryAfter,
    pub(super) max_total_delay: Duration,
    pub(super) min_attempt: Duration,
    pub(super) retry_if_probably_unprocessed: bool,
    pub(super) retry_rejections: bool,
    pub(super) error_on_exhausted_status: bool,
    pub(super) max_replay_bytes: usize,
    pub(super) drain_timeout: Duration,
    pub(super) attempt_header: Option<HeaderName>,
    pub(super) on_retry: Hook,
}

/// What becomes of the wait that a server asks for.
#[derive(Clone, Debug)]
pub(super) struct RetryAfter {
    pub(super) respect: bool,
    pub(super) max: Duration,
    /// Beyond `max`: wait that long, rather than not at all.
    pub(super) cap: bool,
    pub(super) jitter: bool,
    /// Retried too, when they ask for a wait and a limited total is not spent.
    pub(super) statuses: Vec<u16>,
}

impl Default for RetryAfter {
    fn default() -> Self {
        Self {
            respect: true,
            max: Duration::from_secs(20),
            cap: false,
            jitter: true,
            statuses: Vec::new(),
        }
    }
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
            limits: Limits { total: Some(4), connect: None, read: None, status: None, other: None },
            methods: Methods::Idempotent,
            statuses: vec![429, 500, 502, 503, 504],
            retryable_success_statuses: Vec::new(),
            backoff: Backoff::default(),
            retry_after: RetryAfter::default(),
            max_total_delay: Duration::from_secs(30),
            min_attempt: Duration::ZERO,
            retry_if_probably_unprocessed: false,
            retry_rejections: false,
            error_on_exhausted_status: false,
            max_replay_bytes: 64 * 1024,
            drain_timeout: Duration::from_millis(50),
            attempt_header: None,
            on_retry: Hook::default(),
        }
    }
}

impl Policy {
    /// How long to wait before the next attempt, and what is spent by it; or why there is none.
    ///
    /// `waited` is the sum of the waits so far.
    pub(super) fn decide(
        &self,
        failure: &Failure,
        about: &RequestFacts<'_>,
        spent: RetryCounts,
        waited: Duration,
        random: impl FnOnce() -> f64,
    ) -> Result<(Duration, RetryCounts), StopReason> {
        match failure.retry_hint() {
            Some(false) => return Err(StopReason::ServerForbids),
            Some(true) => {}
            None => self.is_retryable(failure, spent)?,
        }
        if !self.is_safe(failure, about) {
            return Err(StopReason::MethodNotAllowed);
        }
        let spent = spent.after(failure, &self.limits)?;
        let Wait { least, chosen } = self.delay(failure, spent.total, random)?;
        let room = self.max_total_delay.saturating_sub(waited);
        if least > room {
            return Err(StopReason::WaitTooLong);
        }
        let time = self.time_to_wait(about.time_left, about.margin)?;
        if least > time {
            return Err(StopReason::DeadlineTooNear);
        }
        // What chance added is worth less than another try.
        Ok((chosen.min(room).min(time), spent))
    }

    /// How long a request whose deadline is `left` away may wait for its next attempt, which needs `margin`.
    pub(super) fn time_to_wait(
        &self,
        left: Option<Duration>,
        margin: Duration,
    ) -> Result<Duration, StopReason> {
        match left {
            None => Ok(Duration::MAX),
            Some(left) if left.is_zero() => Err(StopReason::DeadlineTooNear),
            Some(left) => {
                let least = self.min_attempt.max(margin);
                left.checked_sub(least).ok_or(StopReason::DeadlineTooNear)
            }
        }
    }

    /// Whether another try may end better.
    fn is_retryable(&self, failure: &Failure, spent: RetryCounts) -> Result<(), StopReason> {
        let (may, stop_reason) =
            match (failure.status().map(|status| status.as_u16()), failure.cause()) {
                // Also in a response that a layer of ours made of it.
                (_, Cause::CircuitOpen) => (self.retry_rejections, StopReason::CircuitOpen),
                // gRPC reports failures with a status of 200.
                (Some(status), _)
                    if status >= 400 || self.retryable_success_statuses.contains(&status) =>
                {
                    let asked = self.retry_after.respect
                        && failure.retry_after().is_some()
                        && self.limits.total.is_some()
                        && spent.total_left(&self.limits)
                        && self.retry_after.statuses.contains(&status);
                    (asked || self.statuses.contains(&status), StopReason::NotRetryable)
                }
                (None, Cause::ConnectionLimitReached) => {
                    (self.retry_rejections, StopReason::LimitReached)
                }
                (_, cause) => (is_transient(cause), StopReason::NotRetryable),
            };
        if may { Ok(()) } else { Err(stop_reason) }
    }

    fn is_safe(&self, failure: &Failure, about: &RequestFacts<'_>) -> bool {
        let allowed = about.method.is_none_or(|method| match &self.methods {
            Methods::Idempotent => method.is_idempotent(),
            Methods::Any => true,
            Methods::Only(methods) => methods.contains(method),
        });
        let unprocessed = match failure.processed() {
            Processed::No => true,
            Processed::Unlikely => self.retry_if_probably_unprocessed,
            _ => false,
        };
        allowed || about.idempotency_key || unprocessed
    }

    fn delay(
        &self,
        failure: &Failure,
        retry: u32,
        random: impl FnOnce() -> f64,
    ) -> Result<Wait, StopReason> {
        let asked = match failure.retry_after().filter(|_| self.retry_after.respect) {
            None => Duration::ZERO,
            Some(asked) if asked <= self.retry_after.max => asked,
            Some(_) if self.retry_after.cap => self.retry_after.max,
            Some(_) => return Err(StopReason::WaitTooLong),
        };
        if asked.is_zero() {
            // Zero is no wish for a wait; our own still spreads the callers, unless the server wants the request at once
            // (gRFC A6, "Pushback").
            let at_once = failure.retry_after().is_some() && failure.retry_hint() == Some(true);
            let chosen = if at_once { Duration::ZERO } else { self.backoff.delay(retry, random) };
            return Ok(Wait { least: chosen, chosen });
        }
        // Jitter upward only: before its time the server would refuse again. A tenth spreads callers that were all
        // told the same second.
        let jitter =
            if self.retry_after.jitter { scale(asked, 0.1 * random()) } else { Duration::ZERO };
        Ok(Wait { least: asked, chosen: asked.saturating_add(jitter) })
    }
}

/// A wait, and the part of it that is not chance's.
struct Wait {
    least: Duration,
    chosen: Duration,
}

/// Whether a failure that no status reported may be gone at the next try.
const fn is_transient(cause: Cause) -> bool {
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

    fn about(method: &Method) -> RequestFacts<'_> {
        RequestFacts {
            method: Some(method),
            idempotency_key: false,
            time_left: None,
            margin: Duration::ZERO,
        }
    }

    #[test]
    fn every_cause_is_decided_without_a_panic_and_only_no_lets_a_post_pass() {
        let spent = RetryCounts::default();
        for &cause in Cause::ALL {
            for processed in [Processed::No, Processed::Unlikely, Processed::Maybe, Processed::Yes]
            {
                let failure = Failure::new(cause).with_processed(processed);
                let about = about(&Method::POST);
                let decision =
                    Policy::default().decide(&failure, &about, spent, Duration::ZERO, || 0.5);
                assert!(decision.is_err() || processed == Processed::No, "{cause} {processed}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_retry_after_asks_and_never_beyond_its_limits(
            asked in any::<Duration>(), waited in any::<Duration>(), left in any::<Duration>(),
            random in 0.0..1.0,
        ) {
            let policy = Policy::default();
            let failure = Failure::new(Cause::Overloaded)
                .with_status(StatusCode::SERVICE_UNAVAILABLE)
                .with_retry_after(Some(asked));
            let about = RequestFacts { time_left: Some(left), ..about(&Method::GET) };
            let decision = policy.decide(&failure, &about, RetryCounts::default(), waited, || random);
            if let Ok((delay, _)) = decision {
                prop_assert!(delay >= asked);
                prop_assert!(asked <= policy.retry_after.max);
                prop_assert!(waited + delay <= policy.max_total_delay);
                prop_assert!(delay <= left);
            }
        }
    }
}
