//! The retry budget gauge.

use metrics_util::debugging::DebuggingRecorder;
use seawall::{standard::StandardLayer, test_util::Step};
use tower::{Layer, ServiceExt};

use super::request;
use crate::support::upstream;

/// `RetryLayer` exports the gauge. `StandardLayer`, which has one budget per key, does not.
#[test]
#[ignore = "22: StandardLayer never exports the gauge of its retry budget"]
fn standard_layer_exports_budget_ratio_when_it_retries() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let layer = StandardLayer::new("billing").without_circuit_breaker();
            let client = layer.layer(upstream(Step::status(502)));
            for _ in 0..20 {
                client.clone().oneshot(request("GET", "http://billing/")).await.unwrap();
            }
        });
    });
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    let names: Vec<_> = metrics.map(|(key, ..)| key.key().name().to_owned()).collect();
    assert!(names.iter().any(|name| name == "seawall_retries_total"), "{names:?}");
    assert!(names.iter().any(|name| name == "seawall_retry_budget_ratio"), "{names:?}");
}
