//! Rejections by layers of this process.

use seawall_core::{Cause, Failure, Reporter, attempts::FailedAttempt};

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
