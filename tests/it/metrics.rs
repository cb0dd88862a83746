//! What a recorder of the `metrics` crate is told.

use std::{collections::BTreeMap, convert::Infallible, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use metrics_util::{
    CompositeKey,
    debugging::{DebugValue, DebuggingRecorder},
};
use seawall::{
    BoxError, CircuitBreakerLayer, InFlightLimitLayer, RetryLayer,
    circuit_breaker::{CircuitOpen, by_authority},
    retry::{Backoff, Budget},
};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Script, answers, get};

type Body = Full<Bytes>;

/// Runs it, and gives what was told: name and labels, as Prometheus writes them, and the value.
fn told(run: impl AsyncFnOnce()) -> BTreeMap<String, String> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run());
    });
    let all = snapshotter.snapshot().into_vec().into_iter();
    all.map(|(key, _, _, value)| (name(&key), number(&value))).collect()
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

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

#[test]
fn attempts_and_retries_are_counted_by_what_became_of_them() {
    let told = told(async || {
        let script: Script<Body> = answers(&[200, 502, 200, 502, 503, 502, 502, 404]);
        let client = retry().budget(Budget::none()).layer(script);
        for status in [200, 200, 502, 404] {
            let response = client.clone().oneshot(get()).await.unwrap();
            assert_eq!(response.status(), status);
        }
    });
    let expected = [
        ("seawall_attempts_total cause=bad_gateway", "4"),
        ("seawall_attempts_total cause=client_error", "1"),
        ("seawall_attempts_total cause=none", "2"),
        ("seawall_attempts_total cause=overloaded", "1"),
        ("seawall_give_ups_total stop=not_retryable", "1"),
        ("seawall_give_ups_total stop=total_spent", "1"),
        ("seawall_retries_total outcome=failure", "3"),
        ("seawall_retries_total outcome=success", "1"),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn the_budgets_gauge_says_how_much_is_spent() {
    let told = told(async || {
        let client = retry().total(1).layer(answers(&[502; 4]));
        for _ in 0..2 {
            client.clone().oneshot(get()).await.unwrap();
        }
    });
    // Two of the three that are always allowed.
    assert!(told["seawall_retry_budget_ratio "].starts_with("0.6666"), "{told:?}");
}

#[test]
fn a_circuit_tells_its_state_and_what_it_rejects() {
    let told = told(async || {
        let layer =
            CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN).keyed(by_authority);
        let client = layer.layer(service_fn(async |_: Request<Body>| {
            let response = Response::builder().status(502);
            Ok::<_, Infallible>(response.body(Body::default()).unwrap())
        }));
        for _ in 0..3 {
            let _ = client.clone().oneshot(get()).await;
        }
    });
    // The tests are one process, and some of them bring more keys than are told apart.
    let known = told.keys().any(|name| name.contains("key=upstream"));
    let key = if known { "upstream" } else { "other" };
    assert_eq!(told[&format!("seawall_circuit_state key={key},state=open")], "1");
    assert_eq!(told[&format!("seawall_circuit_state key={key},state=closed")], "0");
    assert_eq!(told[&format!("seawall_circuit_rejections_total key={key}")], "2");
}

#[test]
fn calls_beyond_the_limit_in_flight_are_counted() {
    let told = told(async || {
        let layer = InFlightLimitLayer::new(NonZeroU32::MIN);
        let mut client = layer.layer(service_fn(async |_: Request<Body>| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, BoxError>(Response::new(Body::default()))
        }));
        let request = || Request::new(Body::default());
        let held = client.call(request());
        assert!(client.call(request()).await.is_err());
        held.await.unwrap();
    });
    assert_eq!(told, [("seawall_in_flight_rejections_total ".to_owned(), "1".to_owned())].into());
}

#[test]
fn a_circuit_for_all_is_told_by_its_name() {
    let told = told(async || {
        // Settings that come after the name keep it.
        let layer = CircuitBreakerLayer::new().named("billing");
        let layer = layer.consecutive_failures(NonZeroU32::MIN);
        let client = layer.layer(answers(&[502]));
        client.clone().oneshot(get()).await.unwrap();
        let error = client.oneshot(get()).await.err().unwrap();
        let open = seawall::find_source::<CircuitOpen>(&*error).unwrap();
        assert_eq!(open.key(), Some("billing"));
    });
    let known = told.keys().any(|name| name.contains("key=billing"));
    let key = if known { "billing" } else { "other" };
    assert_eq!(told[&format!("seawall_circuit_rejections_total key={key}")], "1");
}
