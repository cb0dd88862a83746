use std::time::Duration;

use http::{HeaderName, Method};
use seawall_core::{Blame, Cause, Failure, Processed, Reporter};

use super::{
    Backoff, StopReason,
    event::Hook,
    limits::{Limits, RetryCounts},
    request_facts::RequestFacts,
};
use crate::jitter::scale;

/// The default of [`RetryLayer::max_retries`](super::RetryLayer::max_retries).
pub(super) const DEFAULT_MAX_RETRIES: u32 = 4;

/// The default of [`RetryLayer::drain_timeout`](super::RetryLayer::drain_timeout).
pub(super) const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_millis(50);

/// The settings that determine whether and when a request is retried. They use no clock and no I/O.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) limits: Limits,
    pub(super) methods: Methods,
    pub(super) statuses: Vec<u16>,
    /// The statuses below 400 in `statuses`, which the classifier does not report.
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
    pub(crate) attempt_header: Option<HeaderName>,
    pub(super) on_retry: Hook,
}

/// The settings for a delay that the server requests.
#[derive(Clone, Debug)]
pub(super) struct RetryAfter {
    pub(super) respect: bool,
    pub(super) max: Duration,
    /// `true` clamps a longer delay to `max`. `false` makes a longer delay prevent the retry.
    pub(super) clamp: bool,
    pub(super) jitter: bool,
    /// Further statuses that are retried if the response requests a delay, and `Limits::total` is
    /// set and not reached.
    pub(super) statuses: Vec<u16>,
}

impl Default for RetryAfter {
    fn default() -> Self {
        Self {
            respect: true,
            max: Duration::from_secs(20),
            clamp: false,
            jitter: true,
            statuses: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Methods {
    /// The idempotent methods of RFC 9110 §9.2.2.
    Idempotent,
    Any,
    Only(Vec<Method>),
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            limits: Limits {
                total: Some(DEFAULT_MAX_RETRIES),
                connect: None,
                read: None,
                status: None,
                other: None,
            },
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
            drain_timeout: DEFAULT_DRAIN_TIMEOUT,
            attempt_header: None,
            on_retry: Hook::default(),
        }
    }
}

impl Policy {
    /// Returns the delay before the next attempt and the new counts, or the reason not to retry.
    ///
    /// `total_delay` is the sum of the delays so far.
    pub(super) fn decide(
        &self,
        failure: &Failure,
        request: &RequestFacts<'_>,
        counts: RetryCounts,
        total_delay: Duration,
        random: impl FnOnce() -> f64,
    ) -> Result<(Duration, RetryCounts), StopReason> {
        match failure.retry_hint() {
            Some(false) => return Err(StopReason::ServerForbids),
            Some(true) => {}
            None => self.check_retryable(failure, counts)?,
        }
        if !self.is_safe(failure, request) {
            return Err(StopReason::MethodNotAllowed);
        }
        let counts = counts.add_retry(failure, &self.limits)?;
        let is_isolated = request.is_failure_isolated
            && !matches!(failure.cause(), Cause::RateLimited | Cause::Overloaded);
        let Delay { min, jittered } = self.delay(failure, counts.total, is_isolated, random)?;
        let remaining_delay = self.max_total_delay.saturating_sub(total_delay);
        if min > remaining_delay {
            return Err(StopReason::WaitTooLong);
        }
        let max = self.max_delay_before_deadline(request.time_left, request.deadline_margin)?;
        if min > max {
            return Err(StopReason::DeadlineTooNear);
        }
        // Jitter is trimmed if it would exceed a maximum.
        Ok((jittered.min(remaining_delay).min(max), counts))
    }

    /// Returns the longest delay that leaves time for another attempt before the deadline.
    ///
    /// `time_left` is the time until the deadline, if there is one. No retry starts within `margin`
    /// before the deadline.
    pub(super) fn max_delay_before_deadline(
        &self,
        time_left: Option<Duration>,
        margin: Duration,
    ) -> Result<Duration, StopReason> {
        match time_left {
            None => Ok(Duration::MAX),
            Some(time_left) if time_left.is_zero() => Err(StopReason::DeadlineTooNear),
            Some(time_left) => {
                let min_attempt = self.min_attempt.max(margin);
                time_left.checked_sub(min_attempt).ok_or(StopReason::DeadlineTooNear)
            }
        }
    }

    /// Returns an error with the reason if another attempt would fail in the same way.
    fn check_retryable(&self, failure: &Failure, counts: RetryCounts) -> Result<(), StopReason> {
        let is_local = failure.reporter() == Reporter::Local;
        let (is_retryable, stop_reason) =
            match (failure.status().map(|status| status.as_u16()), failure.cause()) {
                // The status is ignored, because another layer may have turned the error into a
                // response.
                (_, Cause::CircuitOpen) => (self.retry_rejections, StopReason::CircuitOpen),
                (status, Cause::ConnectionLimitReached) if is_local || status.is_none() => {
                    (self.retry_rejections, StopReason::LimitReached)
                }
                (Some(_), cause) if is_local && cause.blame() == Blame::Process => {
                    (false, StopReason::NotRetryable)
                }
                // A gateway responds with it when the origin is slow.
                (Some(408), Cause::HttpResponseTimeout) => (true, StopReason::NotRetryable),
                // gRPC reports failures with a status of 200.
                (Some(status), _)
                    if status >= 400 || self.retryable_success_statuses.contains(&status) =>
                {
                    let requests_retry = self.retry_after.respect
                        && failure.retry_after().is_some()
                        && self.limits.total.is_some()
                        && counts.is_below_total(&self.limits)
                        && self.retry_after.statuses.contains(&status);
                    let is_listed = self.statuses.contains(&status);
                    (requests_retry || is_listed, StopReason::NotRetryable)
                }
                (_, cause) => (is_transient(cause), StopReason::NotRetryable),
            };
        if is_retryable { Ok(()) } else { Err(stop_reason) }
    }

    /// Returns whether a retry cannot apply an effect of the request twice.
    fn is_safe(&self, failure: &Failure, request: &RequestFacts<'_>) -> bool {
        let is_method_allowed = request.method.is_none_or(|method| match &self.methods {
            Methods::Idempotent => method.is_idempotent(),
            Methods::Any => true,
            Methods::Only(methods) => methods.contains(method),
        });
        let is_unprocessed = match failure.processed() {
            Processed::No => true,
            Processed::Unlikely => self.retry_if_probably_unprocessed,
            _ => false,
        };
        is_method_allowed || request.has_idempotency_key || is_unprocessed
    }

    fn delay(
        &self,
        failure: &Failure,
        retry: u32,
        is_isolated: bool,
        random: impl FnOnce() -> f64,
    ) -> Result<Delay, StopReason> {
        let requested = match failure.retry_after().filter(|_| self.retry_after.respect) {
            None => Duration::ZERO,
            Some(requested) if requested <= self.retry_after.max => requested,
            Some(_) if self.retry_after.clamp => self.retry_after.max,
            Some(_) => return Err(StopReason::WaitTooLong),
        };
        if requested.is_zero() {
            // If the server requests a delay of zero, the backoff still spreads the callers. With
            // an explicit request for a retry, zero means an immediate retry (gRFC A6, "Pushback").
            let is_immediate =
                failure.retry_after().is_some() && failure.retry_hint() == Some(true);
            let delay = if is_immediate {
                Duration::ZERO
            } else {
                self.backoff.delay(retry, is_isolated, random)
            };
            return Ok(Delay { min: delay, jittered: delay });
        }
        // Jitter only lengthens the delay, because the server would reject an earlier request. 10 %
        // spreads callers that received the same delay.
        let jitter =
            if self.retry_after.jitter { scale(requested, 0.1 * random()) } else { Duration::ZERO };
        Ok(Delay { min: requested, jittered: requested.saturating_add(jitter) })
    }
}

/// A delay before a retry, with jitter, and the minimum to which jitter may be trimmed.
struct Delay {
    min: Duration,
    jittered: Duration,
}

/// Returns whether another attempt may succeed after a failure without a status.
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
        // A retry would fail in the same way (certificates, sizes, configuration), the request is
        // invalid, or this crate rejected the call on purpose.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    fn request_facts(method: &Method) -> RequestFacts<'_> {
        RequestFacts {
            method: Some(method),
            has_idempotency_key: false,
            time_left: None,
            deadline_margin: Duration::ZERO,
            is_failure_isolated: false,
        }
    }

    #[test]
    fn policy_retries_post_only_when_unprocessed_for_every_cause() {
        let counts = RetryCounts::default();
        for &cause in Cause::ALL {
            for processed in [Processed::No, Processed::Unlikely, Processed::Maybe, Processed::Yes]
            {
                let failure = Failure::new(cause).with_processed(processed);
                let request = request_facts(&Method::POST);
                let decision =
                    Policy::default().decide(&failure, &request, counts, Duration::ZERO, || 0.5);
                assert!(decision.is_err() || processed == Processed::No, "{cause} {processed}");
            }
        }
    }

    proptest! {
        #[test]
        fn delay_respects_retry_after_and_limits(
            requested in any::<Duration>(),
            total_delay in any::<Duration>(),
            time_left in any::<Duration>(),
            random in 0.0..1.0,
        ) {
            let policy = Policy::default();
            let failure = Failure::new(Cause::Overloaded)
                .with_status(StatusCode::SERVICE_UNAVAILABLE)
                .with_retry_after(Some(requested));
            let request =
                RequestFacts { time_left: Some(time_left), ..request_facts(&Method::GET) };
            let counts = RetryCounts::default();
            let decision = policy.decide(&failure, &request, counts, total_delay, || random);
            if let Ok((delay, _)) = decision {
                prop_assert!(delay >= requested);
                prop_assert!(requested <= policy.retry_after.max);
                prop_assert!(total_delay + delay <= policy.max_total_delay);
                prop_assert!(delay <= time_left);
            }
        }
    }
}
