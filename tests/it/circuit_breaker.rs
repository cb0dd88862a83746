//! `CircuitBreakerLayer`: when it opens, when it closes, and which calls it admits.

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
    circuit_breaker::{CircuitBreakerLayer, CircuitOpen, State, by_authority},
    classify::classify_error,
    error_response::ErrorResponseLayer,
    find_source,
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
/// The time between two calls of a steady load.
const STEP: Duration = Duration::from_millis(10);

/// A layer whose circuit opens at the second call if one of two failed.
fn quick() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().min_calls(2)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refusal(error: &BoxError) -> &CircuitOpen {
    find_source(&**error).expect("refused by the circuit")
}

/// Opens the circuit of `layer` around `upstream`, which responds 502 from then on.
async fn open(layer: &CircuitBreakerLayer, upstream: &FlakyService) {
    upstream.set_script(Step::status(502)).unwrap();
    while layer.handle().state() == State::Closed {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
}
