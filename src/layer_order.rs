//! Hints, emitted once per process, that layers stand in an order that is seldom wanted.

use std::{error::Error, sync::Once};

use seawall_core::{attempts::RetriesExhausted, find_source};

/// Emits a hint if `error`, which a circuit breaker received, comes from a retry inside of it.
pub(crate) fn hint_if_around_retry(error: &(dyn Error + 'static)) {
    static HINT: Once = Once::new();
    if !HINT.is_completed() && find_source::<RetriesExhausted>(error).is_some() {
        HINT.call_once(|| {
            tracing::debug!(
                name: "order",
                "CircuitBreakerLayer stands around RetryLayer: of several attempts it counts one, and cannot end the retrying",
            );
        });
    }
}

/// Emits a hint that a log is written inside of a retry.
pub(crate) fn hint_inside_retry() {
    static HINT: Once = Once::new();
    HINT.call_once(|| {
        tracing::debug!(
            name: "order",
            "LoggingLayer stands inside RetryLayer: its lines are of attempts; only one around it says how a call ended",
        );
    });
}
