//! Metrics as received by a recorder of the `metrics` crate.

mod layers;
mod request_duration;

use std::{collections::BTreeMap, sync::Mutex};

use bytes::Bytes;
use http_body_util::Full;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_util::{
    CompositeKey,
    debugging::{DebugValue, DebuggingRecorder},
};

type Body = Full<Bytes>;

/// Runs `test` and returns the recorded metrics: name and labels, and the value.
pub(crate) fn recorded(test: impl AsyncFnOnce()) -> BTreeMap<String, String> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(test());
    });
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    metrics.map(|(key, _, _, value)| (name(&key), number(&value))).collect()
}

fn name(key: &CompositeKey) -> String {
    let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
    format!("{} {}", key.key().name(), labels.collect::<Vec<_>>().join(","))
}

fn number(value: &DebugValue) -> String {
    match value {
        DebugValue::Counter(count) => count.to_string(),
        DebugValue::Gauge(value) => value.to_string(),
        DebugValue::Histogram(values) => values.len().to_string(),
    }
}

/// A recorder that stores the name and the unit of each described metric.
#[derive(Default)]
struct Described(Mutex<BTreeMap<String, Option<Unit>>>);

impl Described {
    fn add(&self, name: &KeyName, unit: Option<Unit>, text: &SharedString) {
        assert!(!text.is_empty(), "{name:?}");
        self.0.lock().unwrap().insert(name.as_str().to_owned(), unit);
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.add(&name, unit, &text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.add(&name, unit, &text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.add(&name, unit, &text);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn describe_registers_each_metric_with_its_unit() {
    let described = Described::default();
    metrics::with_local_recorder(&described, seawall::metrics::describe);
    let expected = [
        ("http.client.request.duration", Some(Unit::Seconds)),
        ("http.server.request.duration", Some(Unit::Seconds)),
        ("seawall_attempts_total", Some(Unit::Count)),
        ("seawall_broken_streams_total", Some(Unit::Count)),
        ("seawall_circuit_rejections_total", Some(Unit::Count)),
        ("seawall_circuit_state", None),
        ("seawall_dropped_headers_total", Some(Unit::Count)),
        ("seawall_failures_before_commit_total", Some(Unit::Count)),
        ("seawall_retries_exhausted_total", Some(Unit::Count)),
        ("seawall_in_flight_limit", Some(Unit::Count)),
        ("seawall_in_flight_rejections_total", Some(Unit::Count)),
        ("seawall_untracked_keys_total", Some(Unit::Count)),
        ("seawall_retries_total", Some(Unit::Count)),
        ("seawall_retry_budget_ratio", None),
    ];
    let expected = BTreeMap::from(expected.map(|(name, unit)| (name.to_owned(), unit)));
    assert_eq!(described.0.into_inner().unwrap(), expected);
}
