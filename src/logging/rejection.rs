//! Rejections by layers of this process.

use seawall_core::{Cause, Detail, Failure, Reporter, attempts::FailedAttempt};
use tokio::time::Instant;

use super::{
    outcome::{Completion, EventKind},
    record::Record,
};

/// Returns whether a layer of this process rejected the request without calling the upstream.
pub(super) fn is_rejection(failure: &Failure) -> bool {
    match failure.cause() {
        Cause::CircuitOpen => true,
        // Reported locally, it is a limit of this process, not of the upstream.
        Cause::ConnectionLimitReached => failure.reporter() == Reporter::Local,
        _ => false,
    }
}

/// Returns the failure of a call: its own, or that of the last attempt that was not rejected.
///
/// A call whose attempts open a circuit ends in a rejection by that circuit. The attempts have the
/// cause.
pub(super) fn last_failure(failure: Failure, failed_attempts: &[FailedAttempt]) -> Failure {
    if !is_rejection(&failure) {
        return failure;
    }
    let failures = failed_attempts.iter().rev().map(FailedAttempt::failure);
    failures.copied().find(|it| !is_rejection(it)).unwrap_or(failure)
}

/// Summarizes the calls that a layer of Tower rejected. Circuits and limits of this crate summarize
/// theirs.
pub(super) fn summarize_shed_calls(record: &Record, completion: &Completion<'_>, kind: EventKind) {
    let shed_calls = &record.settings.shed_calls;
    let is_shed = kind == EventKind::Rejected
        && completion.failure.and_then(|it| it.detail()) == Some(Detail::LoadShed)
        // A log inside has counted the call.
        && completion.inner_call.is_none();
    let rejected =
        if is_shed { shed_calls.record(Instant::now()) } else { shed_calls.take(Instant::now) };
    let Some(rejected) = rejected else { return };
    let _entered = record.span.enter();
    let calls = if rejected == 1 { "call" } else { "calls" };
    tracing::warn!(
        name: "load_shed",
        rejected,
        "load shed because a service was not ready: {rejected} {calls} rejected",
    );
}
