//! Hints about a layer order that is rarely intended, each emitted once per process.

use std::{error::Error, sync::Once};

use seawall_core::{attempts::RetriesExhausted, find_source};

/// Emits a hint if `error`, received by a circuit breaker, comes from a retry layer inside the
/// breaker.
pub(crate) fn warn_if_wraps_retry(error: &(dyn Error + 'static)) {
    static HINT: Once = Once::new();
    if !HINT.is_completed() && find_source::<RetriesExhausted>(error).is_some() {
        HINT.call_once(|| {
            tracing::debug!(
                name: "order",
                "CircuitBreakerLayer wraps RetryLayer: it counts one result per call, and cannot stop retries",
            );
        });
    }
}

/// Emits a hint that a logging layer is inside a retry layer.
pub(crate) fn warn_if_inside_retry() {
    static HINT: Once = Once::new();
    HINT.call_once(|| {
        tracing::debug!(
            name: "order",
            "LoggingLayer is inside RetryLayer: it logs attempts; outside, it logs the outcome of the call",
        );
    });
}
