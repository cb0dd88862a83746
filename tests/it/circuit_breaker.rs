//! Tests of `CircuitBreakerLayer`: opening, closing and admission of calls.

mod balance;
mod boundaries;
mod consecutive_failures;
mod control;
mod keys;
mod observability;
mod opening;
mod panics;
mod peer_bugs;
mod readiness;
mod recovery;
mod service;
mod settings;
mod stack;
mod threads;
mod upstream;

use std::{num::NonZeroU32, time::Duration};

use http::StatusCode;
use seawall::{
    BoxError, Cause, Processed, Ratio,
    circuit_breaker::{CircuitBreakerLayer, CircuitOpen, State},
    classify::classify_error,
    error_response::ErrorResponseLayer,
    find_source,
    keys::by_authority,
    retry::{Backoff, Budget, RetriesExhausted, RetryLayer, StopReason},
    test_util::{FlakyService, Step},
};
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tracing::level_filters::LevelFilter;

use self::upstream::{get, get_from, upstream};
use crate::log_capture::Recorder;

const PROBES: u32 = 5;
/// The interval between two calls of a steady load.
const CALL_INTERVAL: Duration = Duration::from_millis(10);

/// Returns a layer whose circuit opens at the second call if one of two failed.
fn opens_at_two() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().min_calls(2)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn circuit_open(error: &BoxError) -> &CircuitOpen {
    find_source(&**error).expect("a `CircuitOpen` source")
}

/// Opens the circuit of `layer` around `upstream`, which responds 502 from then on.
async fn open(layer: &CircuitBreakerLayer, upstream: &FlakyService) {
    upstream.set_script(Step::status(502)).unwrap();
    while layer.handle().state() == State::Closed {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
}
