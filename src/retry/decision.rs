//! What follows from the outcome of an attempt.

use std::{pin::Pin, time::Duration};

use seawall_core::{
    BoxError, Cause, Failure, Processed,
    attempts::FailedAttempt,
    classify::{Classify, classify_error},
    elapsed::{Elapsed, TimeoutKind},
};
use tokio::time::{Instant, sleep_until};
use tower_service::Service;

use super::{
    CallAdapter, ResponseFuture, RetriesExhausted, RetryEvent, RetryReport, StopReason,
    call_adapter::{Replayed, SentRequest, attempt_number},
    policy::Policy,
    request_facts::RequestFacts,
    state::{State, Verdict},
};
use crate::time_limit::Deadline;

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<SentRequest<P, Req>>,
    P: CallAdapter<Req, S::Response>,
{
    /// Returns the classifier's verdict on the end of an attempt, and whether that is to be retried.
    pub(super) fn classify(&self, outcome: &Result<S::Response, BoxError>) -> Verdict
    where
        C: Classify<S::Response>,
    {
        let result = outcome.as_ref().map_err(|error| &**error as _);
        let classified = self.classifier.classify(result);
        let failure = classified.or_else(|| {
            let statuses = &*self.policy().retryable_success_statuses;
            if statuses.is_empty() {
                return None;
            }
            self.adapter.failure_for_status(outcome.as_ref().ok()?, statuses)
        });
        crate::metrics::record_attempt(failure.map(|failure| failure.cause()), self.made);
        Verdict { classified, failure }
    }

    /// Ends a call that did well at a later attempt.
    pub(super) fn finish(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
    ) -> Result<S::Response, BoxError> {
        self.as_mut().project().state.set(State::Done);
        outcome.map(|response| self.annotate(response, None, None))
    }

    /// Returns what the caller gets, or sets the state that leads to another attempt.
    pub(super) fn retry(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        failure: Failure,
        classified: Option<Failure>,
    ) -> Option<Result<S::Response, BoxError>> {
        match self.as_mut().plan_retry(&failure) {
            Ok((delay, again)) => {
                self.wait(outcome, failure, delay, again);
                None
            }
            Err(stop_reason) => Some(self.fail(outcome, failure, classified, stop_reason)),
        }
    }

    pub(super) fn policy(&self) -> &Policy {
        self.policy.as_deref().unwrap_or(&self.settings.policy)
    }

    /// What another attempt takes: a decision, a retry of the budget, and the means to send the request again.
    fn plan_retry(
        self: Pin<&mut Self>,
        failure: &Failure,
    ) -> Result<(Duration, Replayed<P, Req>), StopReason> {
        let time_left = self.deadline.at.map(|deadline| deadline.remaining());
        let this = self.project();
        let policy = this.policy.as_deref().unwrap_or(&this.settings.policy);
        let margin = this.settings.time_limits.deadline_margin;
        let history = this.history.get_or_insert_default();
        // gRFC A6, "Transparent Retries": a request that was never written is no load, so it is sent again once
        // whatever the limits say; unless retrying is off.
        let free = failure.is_never_written() && !history.resent && policy.limits.total != Some(0);
        let about = RequestFacts { time_left, margin, ..this.adapter.facts(this.saved) };
        let (delay, spent) = if free {
            policy.time_to_wait(time_left, margin)?;
            history.resent = true;
            (Duration::ZERO, history.spent)
        } else {
            policy.decide(failure, &about, history.spent, history.waited, fastrand::f64)?
        };
        // Before the budget, so that nothing is charged for what cannot be; sending again ends an earlier body.
        if !this.adapter.is_repeatable(this.body) {
            return Err(StopReason::NotReplayable);
        }
        let budget = this.budget.as_deref().unwrap_or_else(|| this.settings.budgets.shared());
        let paid = free || budget.withdraw(Instant::now);
        if this.budget.is_none()
            && let Some(spent) = budget.spent(Instant::now())
        {
            crate::metrics::record_budget_ratio(spent);
        }
        if !paid {
            return Err(StopReason::BudgetExhausted);
        }
        history.spent = spent;
        let again = this.adapter.start_replay(this.body);
        again.map(|again| (delay, again)).ok_or(StopReason::NotReplayable)
    }

    /// Drops the failed attempt and waits.
    fn wait(
        self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        failure: Failure,
        delay: Duration,
        again: Replayed<P, Req>,
    ) {
        let mut this = self.project();
        let attempt = attempt_number(*this.made + 1);
        tracing::debug!(
            name: "retry",
            attempt, cause = failure.cause().as_str(), ?delay,
            "trying again",
        );
        let policy = this.policy.as_deref().unwrap_or(&this.settings.policy);
        if let Some(hook) = &policy.on_retry.0 {
            hook(&RetryEvent::new(attempt, failure, delay));
        }
        let history = this.history.get_or_insert_default();
        FailedAttempt::record(&mut history.past, failure, delay);
        history.waited = history.waited.saturating_add(delay);
        history.may_be_processed |= failure.processed() != Processed::No;
        let discard = outcome.ok().map(|response| {
            let (discard, head) = this.adapter.discard(response);
            history.last_response = head;
            discard
        });
        let now = Instant::now();
        // Only waits without a limit can be beyond the end of time; tokio's longest will do for those.
        let until = now.checked_add(delay).unwrap_or_else(|| Deadline::within(delay).at());
        let first = if discard.is_some() {
            until.min(now.checked_add(policy.drain_timeout).unwrap_or(until))
        } else {
            until
        };
        // tokio's shortest sleep takes a millisecond.
        let sleep = (!delay.is_zero()).then(|| sleep_until(first));
        this.state.set(State::Wait { discard, sleep, until, again: Some(again) });
    }

    fn fail(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        failure: Failure,
        classified: Option<Failure>,
        stop_reason: StopReason,
    ) -> Result<S::Response, BoxError> {
        self.emit_event(failure.cause(), stop_reason);
        match outcome {
            Ok(response)
                if self.policy().error_on_exhausted_status && stop_reason.is_exhausted() =>
            {
                let this = self.as_mut().project();
                let (_, head) = this.adapter.discard(response);
                this.history.get_or_insert_default().last_response = head;
                Err(self.give_up(failure.into(), failure.cause(), stop_reason))
            }
            Ok(response) => Ok(self.annotate(response, classified, Some(stop_reason))),
            // A spent budget is for callers to know too: they would multiply what it keeps down.
            Err(error) if self.made > 1 || stop_reason == StopReason::BudgetExhausted => {
                Err(self.give_up(error, failure.cause(), stop_reason))
            }
            Err(error) => {
                self.project().state.set(State::Done);
                Err(error)
            }
        }
    }

    /// Leaves the report in the response.
    fn annotate(
        self: Pin<&mut Self>,
        mut response: S::Response,
        failure: Option<Failure>,
        stop_reason: Option<StopReason>,
    ) -> S::Response {
        let mut this = self.project();
        this.state.set(State::Done);
        let past = this.history.take().map(|history| history.past).unwrap_or_default();
        let attempts = RetryReport::new(
            attempt_number(*this.made),
            this.started.elapsed(),
            failure,
            stop_reason,
            past,
        );
        this.adapter.annotate(&mut response, attempts);
        response
    }

    /// The deadline passed while the call was in flight.
    pub(super) fn time_out(mut self: Pin<&mut Self>, at: Instant) -> BoxError {
        let error = Elapsed::new(at.duration_since(self.started), TimeoutKind::Deadline).into();
        if self.history.is_none() {
            let mut this = self.as_mut().project();
            this.state.set(State::Done);
            *this.next = None;
            return error;
        }
        let cause = Cause::HttpResponseTimeout;
        self.emit_event(cause, StopReason::DeadlineTooNear);
        self.give_up(error, cause, StopReason::DeadlineTooNear)
    }

    /// The deadline passed while the inner service was not ready: there is no newer failure than the last.
    pub(super) fn out_of_time(self: Pin<&mut Self>) -> BoxError {
        let past = self.history.as_ref().and_then(|history| history.past.last());
        let last = past.map(|past| *past.failure());
        let source = last.unwrap_or(Failure::new(Cause::HttpResponseTimeout));
        self.emit_event(source.cause(), StopReason::DeadlineTooNear);
        self.give_up(source.into(), source.cause(), StopReason::DeadlineTooNear)
    }

    /// The inner service failed to become ready for an attempt that had been decided on.
    pub(super) fn not_ready(self: Pin<&mut Self>, error: BoxError) -> BoxError {
        let cause = classify_error(&*error).cause();
        self.emit_event(cause, StopReason::NotReady);
        self.give_up(error, cause, StopReason::NotReady)
    }

    fn emit_event(&self, cause: Cause, stop_reason: StopReason) {
        crate::metrics::record_retries_exhausted(stop_reason.as_str());
        tracing::debug!(
            name: "give up",
            attempts = self.made, cause = cause.as_str(), stop_reason = stop_reason.as_str(),
            "giving up",
        );
    }

    fn give_up(
        self: Pin<&mut Self>,
        error: BoxError,
        cause: Cause,
        stop_reason: StopReason,
    ) -> BoxError {
        let mut this = self.project();
        this.state.set(State::Done);
        // It may stand in a queue for a permit that somebody else can use.
        *this.next = None;
        let history = this.history.take().unwrap_or_default();
        let elapsed = this.started.elapsed();
        RetriesExhausted::new(
            attempt_number(*this.made),
            elapsed,
            stop_reason,
            cause,
            history.last_response,
            error,
        )
        .with_may_be_processed(history.may_be_processed)
        .into()
    }
}
