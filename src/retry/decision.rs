//! Decides after each attempt whether to retry or to complete the call.

use std::{
    pin::Pin,
    sync::{Arc, Once},
    time::Duration,
};

use seawall_core::{
    BoxError, Cause, Failure, Processed,
    attempts::FailedAttempt,
    classify::{Classify, classify_error},
    elapsed::{Elapsed, TimeoutKind},
};
use tokio::time::{Instant, sleep_until};
use tower_service::Service;

use super::{
    Budget, CallAdapter, ResponseFuture, RetriesExhausted, RetryEvent, RetryReport, StopReason,
    call_adapter::{NextBody, SentRequest, nonzero_attempts},
    policy::{DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAX_RETRIES, Policy},
    request_facts::RequestFacts,
    state::{Classification, State},
};
use crate::time_limit::{Deadline, drop_expired};

/// The part of the budget that may be used while failures count as isolated.
const MAX_ISOLATED_RATIO: f64 = 0.5;

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<SentRequest<P, Req>>,
    P: CallAdapter<Req, S::Response>,
{
    /// Classifies the outcome of an attempt.
    pub(super) fn classify(&self, outcome: &Result<S::Response, BoxError>) -> Classification
    where
        C: Classify<S::Response>,
    {
        let result = outcome.as_ref().map_err(|error| &**error as _);
        let reported_failure = self.classifier.classify(result);
        let failure = reported_failure.or_else(|| {
            let statuses = &*self.policy().retryable_success_statuses;
            if statuses.is_empty() {
                return None;
            }
            self.adapter.failure_for_status(outcome.as_ref().ok()?, statuses)
        });
        let cause = failure.map(|failure| failure.cause());
        crate::metrics::record_attempt(self.metrics_key(), cause, self.attempts);
        Classification { reported_failure, failure }
    }

    /// Completes a call that succeeded after a retry.
    pub(super) fn complete_success(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
    ) -> Result<S::Response, BoxError> {
        self.as_mut().project().state.set(State::Done);
        outcome.map(|response| self.complete_response(response, None, None))
    }

    /// Returns the result of the call, or starts the delay before a retry and returns `None`.
    pub(super) fn handle_failure(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        failure: Failure,
        reported_failure: Option<Failure>,
    ) -> Option<Result<S::Response, BoxError>> {
        match self.as_mut().plan_retry(&failure) {
            Ok((delay, next_body)) => {
                self.start_delay(outcome, failure, delay, next_body);
                None
            }
            Err(stop_reason) => {
                Some(self.complete_failure(outcome, failure, reported_failure, stop_reason))
            }
        }
    }

    /// Returns the label `key` of the call's metrics.
    fn metrics_key(&self) -> Option<&Arc<str>> {
        let key = self.budget.as_deref().and_then(Budget::key);
        key.or(self.settings.name.as_ref())
    }

    pub(super) fn policy(&self) -> &Policy {
        self.policy.as_deref().unwrap_or(&self.settings.policy)
    }

    /// Decides whether to retry, withdraws from the budget and prepares the body to be replayed.
    fn plan_retry(
        self: Pin<&mut Self>,
        failure: &Failure,
    ) -> Result<(Duration, NextBody<P, Req>), StopReason> {
        let time_left = self.call_deadline.deadline.map(|deadline| deadline.remaining());
        let this = self.project();
        let policy = this.policy.as_deref().unwrap_or(&this.settings.policy);
        let deadline_margin = this.settings.time_limits.deadline_margin;
        let history = this.history.get_or_insert_default();
        // gRFC A6, "Transparent Retries": a request that was never written puts no load on the
        // upstream. It is sent again once regardless of the limits, unless retries are disabled.
        let is_free = failure.is_never_written()
            && !history.used_free_retry
            && policy.limits.total != Some(0);
        let budget = this.budget.as_deref().unwrap_or_else(|| this.settings.budgets.shared());
        let used_ratio = budget.used_ratio();
        let request = RequestFacts {
            time_left,
            deadline_margin,
            is_failure_isolated: used_ratio.is_some_and(|ratio| ratio <= MAX_ISOLATED_RATIO),
            ..this.adapter.request_facts(this.saved)
        };
        let (delay, counts) = if is_free {
            policy.max_delay_before_deadline(time_left, deadline_margin)?;
            history.used_free_retry = true;
            (Duration::ZERO, history.counts)
        } else {
            policy.decide(failure, &request, history.counts, history.total_delay, fastrand::f64)?
        };
        // This check comes before the withdrawal, so that an impossible retry is not charged.
        // `start_replay` comes last, because it ends the body of the failed attempt.
        if !this.adapter.is_replayable(this.replay_source) {
            return Err(StopReason::NotReplayable);
        }
        let is_allowed = is_free || budget.withdraw(Instant::now);
        if let Some(used_ratio) = budget.used_ratio() {
            let key = budget.key().or(this.settings.name.as_ref());
            crate::metrics::record_budget_ratio(key, used_ratio);
        }
        if !is_allowed {
            hint_if_budget_is_small(budget, policy.limits.total);
            return Err(StopReason::BudgetExhausted);
        }
        history.counts = counts;
        let next_body = this.adapter.start_replay(this.replay_source);
        next_body.map(|next_body| (delay, next_body)).ok_or(StopReason::NotReplayable)
    }

    /// Drops the failed attempt and starts the delay before the next attempt.
    fn start_delay(
        self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        failure: Failure,
        delay: Duration,
        next_body: NextBody<P, Req>,
    ) {
        let mut this = self.project();
        let attempt = nonzero_attempts(*this.attempts + 1);
        tracing::debug!(
            name: "retry",
            attempt, cause = failure.cause().as_str(), ?delay,
            "retrying",
        );
        let policy = this.policy.as_deref().unwrap_or(&this.settings.policy);
        if let Some(hook) = &policy.on_retry.0 {
            hook(&RetryEvent::new(attempt, failure, delay));
        }
        let history = this.history.get_or_insert_default();
        FailedAttempt::record(&mut history.failed_attempts, failure, delay);
        history.total_delay = history.total_delay.saturating_add(delay);
        history.may_be_processed |= failure.processed() != Processed::No;
        let discard = outcome.ok().map(|response| {
            let (discard, head) = this.adapter.discard(response);
            history.last_response = head;
            discard
        });
        let now = Instant::now();
        // Only a delay without a maximum can overflow `Instant`. `Deadline` then caps it.
        let retry_at = now.checked_add(delay).unwrap_or_else(|| Deadline::within(delay).at());
        let max_drain = if delay.is_zero() {
            policy.drain_timeout.min(DEFAULT_DRAIN_TIMEOUT)
        } else {
            policy.drain_timeout
        };
        let drain_end = discard.as_ref().map(|_| now.checked_add(max_drain).unwrap_or(retry_at));
        let wake_at = if delay.is_zero() {
            // Without time to drain a body there is no timer, because tokio's shortest sleep takes
            // a millisecond.
            drain_end.filter(|at| *at > now)
        } else {
            Some(drain_end.map_or(retry_at, |drain_end| drain_end.min(retry_at)))
        };
        let sleep = wake_at.map(sleep_until);
        let next_body = Some(next_body);
        this.state.set(State::Delay { discard, sleep, retry_at, next_body });
    }

    fn complete_failure(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        failure: Failure,
        reported_failure: Option<Failure>,
        stop_reason: StopReason,
    ) -> Result<S::Response, BoxError> {
        self.emit_give_up(failure.cause(), stop_reason);
        match outcome {
            Ok(response)
                if self.policy().error_on_exhausted_status && stop_reason.is_exhausted() =>
            {
                let this = self.as_mut().project();
                let (_, head) = this.adapter.discard(response);
                this.history.get_or_insert_default().last_response = head;
                Err(self.complete_error(failure.into(), failure.cause(), stop_reason))
            }
            Ok(response) => {
                Ok(self.complete_response(response, reported_failure, Some(stop_reason)))
            }
            // Callers must be able to see that the budget is exhausted. Their own retries would
            // multiply the load that it limits.
            Err(error) if self.attempts > 1 || stop_reason == StopReason::BudgetExhausted => {
                Err(self.complete_error(error, failure.cause(), stop_reason))
            }
            Err(error) => {
                self.project().state.set(State::Done);
                Err(error)
            }
        }
    }

    /// Inserts the report into the response that ends the call.
    fn complete_response(
        self: Pin<&mut Self>,
        mut response: S::Response,
        failure: Option<Failure>,
        stop_reason: Option<StopReason>,
    ) -> S::Response {
        let mut this = self.project();
        this.state.set(State::Done);
        let failed_attempts =
            this.history.take().map(|history| history.failed_attempts).unwrap_or_default();
        let report = RetryReport::new(
            nonzero_attempts(*this.attempts),
            this.started.elapsed(),
            failure,
            stop_reason,
            failed_attempts,
        );
        this.adapter.insert_report(&mut response, report);
        response
    }

    /// Returns the error of a call whose deadline passed while it was in flight.
    pub(super) fn complete_at_deadline(mut self: Pin<&mut Self>, at: Instant) -> BoxError {
        // A caller that sends its body too slowly is at fault, not the upstream.
        let is_body_pending = self.adapter.is_body_pending(&self.replay_source);
        let (kind, cause) = if is_body_pending {
            (TimeoutKind::RequestTotal, Cause::RequestTimeout)
        } else {
            (TimeoutKind::Deadline, Cause::HttpResponseTimeout)
        };
        let error = Elapsed::new(at.duration_since(self.started), kind).into();
        let mut state = self.as_mut().project().state;
        if is_body_pending {
            state.set(State::Done);
        } else {
            drop_expired(|| state.set(State::Done));
        }
        if self.history.is_none() {
            *self.project().retry_service = None;
            return error;
        }
        self.emit_give_up(cause, StopReason::DeadlineTooNear);
        self.complete_error(error, cause, StopReason::DeadlineTooNear)
    }

    /// Returns the error of a call that has too little time left for another attempt when the inner
    /// service becomes ready. Its source is the failure of the last attempt.
    pub(super) fn complete_without_time(self: Pin<&mut Self>) -> BoxError {
        let failed_attempts = self.history.as_ref().map(|history| &history.failed_attempts);
        let last_failure =
            failed_attempts.and_then(|attempts| attempts.last()).map(|attempt| *attempt.failure());
        let source = last_failure.unwrap_or(Failure::new(Cause::HttpResponseTimeout));
        self.emit_give_up(source.cause(), StopReason::DeadlineTooNear);
        self.complete_error(source.into(), source.cause(), StopReason::DeadlineTooNear)
    }

    /// Returns the error of a call whose inner service failed to become ready for a retry.
    pub(super) fn complete_not_ready(self: Pin<&mut Self>, error: BoxError) -> BoxError {
        let cause = classify_error(&*error).cause();
        self.emit_give_up(cause, StopReason::NotReady);
        self.complete_error(error, cause, StopReason::NotReady)
    }

    fn emit_give_up(&self, cause: Cause, stop_reason: StopReason) {
        crate::metrics::record_retries_exhausted(self.metrics_key(), stop_reason.as_str());
        tracing::debug!(
            name: "give up",
            attempts = self.attempts, cause = cause.as_str(), stop_reason = stop_reason.as_str(),
            "giving up",
        );
    }

    fn complete_error(
        self: Pin<&mut Self>,
        error: BoxError,
        cause: Cause,
        stop_reason: StopReason,
    ) -> BoxError {
        let mut this = self.project();
        this.state.set(State::Done);
        // The clone may be queued for a permit that another caller can use.
        *this.retry_service = None;
        let history = this.history.take().unwrap_or_default();
        let elapsed = this.started.elapsed();
        RetriesExhausted::new(
            nonzero_attempts(*this.attempts),
            elapsed,
            stop_reason,
            cause,
            history.last_response,
            error,
        )
        .with_may_be_processed(history.may_be_processed)
        .with_failed_attempts(history.failed_attempts)
        .into()
    }
}

/// Emits a hint, once per process, if the minimum of an exhausted budget is smaller than the
/// configured number of retries of one call.
///
/// An idle client then makes fewer retries than configured. The defaults do so on purpose.
fn hint_if_budget_is_small(budget: &Budget, max_retries: Option<u32>) {
    static HINT: Once = Once::new();
    let Some(max_retries) = max_retries else { return };
    if max_retries > DEFAULT_MAX_RETRIES && max_retries > budget.min() && !HINT.is_completed() {
        HINT.call_once(|| {
            tracing::info!(
                name: "budget",
                max_retries,
                min = budget.min(),
                "a call may have {max_retries} retries, but while there are few calls the budget \
                 allows {} in 10 s: set a larger minimum with RetryLayer::budget", budget.min(),
            );
        });
    }
}
