//! Counters and gauges of retries, circuits and in-flight limits.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use http::Request;
use seawall::{
    Ratio,
    circuit_breaker::{CircuitBreakerLayer, CircuitOpen, State},
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
    keys::by_authority,
    retry::{Backoff, Budget, RetryLayer},
    standard::StandardLayer,
    test_util as flaky,
};
use tower::{Layer, Service, ServiceExt};

use super::{Body, recorded};
use crate::support::{get, respond_with, upstream};

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

#[test]
fn metrics_count_attempts_and_retries_by_outcome() {
    let metrics = recorded(async || {
        let script = respond_with(&[200, 502, 200, 502, 503, 502, 502, 502, 404]);
        let client = retry().budget(Budget::none()).layer(script);
        for status in [200, 200, 502, 404] {
            let response = client.clone().oneshot(get()).await.unwrap();
            assert_eq!(response.status(), status);
        }
    });
    let expected = [
        ("seawall_attempts_total cause=bad_gateway", "5"),
        ("seawall_attempts_total cause=client_error", "1"),
        ("seawall_attempts_total cause=none", "2"),
        ("seawall_attempts_total cause=overloaded", "1"),
        ("seawall_retries_exhausted_total stop_reason=not_retryable", "1"),
        ("seawall_retries_exhausted_total stop_reason=max_retries", "1"),
        ("seawall_retries_total outcome=failure", "4"),
        ("seawall_retries_total outcome=success", "1"),
    ];
    assert_eq!(metrics, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn budget_gauge_reports_spent_ratio() {
    let metrics = recorded(async || {
        let client = retry().max_retries(1).layer(respond_with(&[502; 4]));
        for _ in 0..2 {
            client.clone().oneshot(get()).await.unwrap();
        }
    });
    // Two of the three retries that the budget allows at least. The key has no labels.
    assert!(metrics["seawall_retry_budget_ratio "].starts_with("0.6666"), "{metrics:?}");
}

#[test]
fn circuit_reports_state_and_rejections() {
    let metrics = recorded(async || {
        let layer =
            CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN).per_key(by_authority);
        let client = layer.layer(upstream(flaky::Step::status(502)));
        for _ in 0..3 {
            let _ = client.clone().oneshot(get()).await;
        }
    });
    // All tests share the process-wide limit of label values, which may be exhausted.
    let known = metrics.keys().any(|name| name.contains("key=upstream"));
    let key = if known { "upstream" } else { "other" };
    assert_eq!(metrics[&format!("seawall_circuit_state key={key},state=open")], "1");
    assert_eq!(metrics[&format!("seawall_circuit_state key={key},state=closed")], "0");
    assert_eq!(metrics[&format!("seawall_circuit_rejections_total key={key}")], "2");
}

#[test]
fn metrics_count_rejections_of_in_flight_limit() {
    let metrics = recorded(async || {
        let layer = InFlightLimitLayer::new(NonZeroU32::MIN);
        let slow = flaky::Step::ok("").delay(Duration::from_secs(1));
        let mut client = layer.layer(upstream(slow));
        let request = || Request::new(Body::default());
        let in_flight = client.call(request());
        assert!(client.call(request()).await.is_err());
        in_flight.await.unwrap();
    });
    assert_eq!(
        metrics,
        [("seawall_in_flight_rejections_total ".to_owned(), "1".to_owned())].into()
    );
}

#[test]
fn only_adaptive_limit_reports_its_limit() {
    let nonzero = |calls| NonZeroU32::new(calls).unwrap();
    let bounds = AdaptiveLimit::new().initial(nonzero(8)).min(nonzero(4)).max(nonzero(16));
    let saturate = async |layer: InFlightLimitLayer, concurrent_calls: u32| {
        let keyed = layer.clone().per_key(by_authority);
        let slow = flaky::Step::ok("").delay(Duration::from_millis(10));
        // All permits are in use and the latency is stable, so the limit grows to its maximum.
        for _ in 0..40 {
            let calls: Vec<_> = (0..concurrent_calls)
                .map(|_| (layer.layer(upstream(slow.clone())), keyed.layer(upstream(slow.clone()))))
                .map(|(shared, keyed)| async move {
                    let _ = futures_util::join!(shared.oneshot(get()), keyed.oneshot(get()));
                })
                .collect();
            futures_util::future::join_all(calls).await;
        }
    };
    let adaptive = recorded(async || saturate(InFlightLimitLayer::adaptive(bounds), 16).await);
    let known = adaptive.keys().any(|name| name.contains("key=upstream"));
    let key = if known { "upstream" } else { "other" };
    assert_eq!(adaptive["seawall_in_flight_limit "], "16", "{adaptive:?}");
    assert_eq!(adaptive[&format!("seawall_in_flight_limit key={key}")], "16", "{adaptive:?}");
    let fixed = recorded(async || saturate(InFlightLimitLayer::new(nonzero(8)), 8).await);
    assert_eq!(fixed, BTreeMap::new());
}

#[test]
fn metrics_count_untracked_keys_by_layer() {
    let metrics = recorded(async || {
        let request = |key: u32| {
            Request::get(format!("http://h{key}.example/")).body(Body::default()).unwrap()
        };
        // The breaker cannot evict a key with a failure. The limit cannot evict a key with a call in
        // flight.
        let mut breaker = CircuitBreakerLayer::new()
            .per_key(by_authority)
            .layer(upstream(flaky::Step::status(502)));
        let mut limit = InFlightLimitLayer::new(NonZeroU32::MIN)
            .per_key(by_authority)
            .layer(upstream(flaky::Step::silent()));
        let mut in_flight = Vec::new();
        for key in 0..4_099 {
            breaker.call(request(key)).await.unwrap();
            in_flight.push(limit.call(request(key)));
        }
        in_flight.push(limit.call(request(4_099)));
    });
    let expected = [
        ("seawall_untracked_keys_total layer=circuit_breaker", "3"),
        ("seawall_untracked_keys_total layer=in_flight", "4"),
    ];
    assert_eq!(metrics, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn gauge_reports_evicted_circuit_as_closed() {
    let metrics = recorded(async || {
        let request =
            |host: &str| Request::get(format!("http://{host}/")).body(Body::default()).unwrap();
        let upstream = upstream(flaky::Step::status(502));
        let layer = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
        let layer = layer.per_key(by_authority);
        layer.layer(upstream.clone()).oneshot(request("evicted")).await.unwrap();
        assert_eq!(layer.handle().get("evicted").unwrap().state(), State::Open);
        upstream.set_script(flaky::Step::status(200)).unwrap();
        tokio::time::advance(Duration::from_secs(60)).await;
        for number in 0..4_097 {
            layer.layer(upstream.clone()).oneshot(request(&format!("h{number}"))).await.unwrap();
        }
        assert!(layer.handle().get("evicted").is_none());
    });
    // The label is `other` if other tests have exhausted the limit of label values.
    let value = |state| {
        let gauge = |key| metrics.get(&format!("seawall_circuit_state key={key},state={state}"));
        gauge("evicted").or_else(|| gauge("other")).unwrap().as_str()
    };
    assert_eq!((value("open"), value("closed")), ("0", "1"));
}

#[test]
fn metrics_label_circuit_by_name() {
    let metrics = recorded(async || {
        // Setters called after `named` keep the name.
        let layer = CircuitBreakerLayer::new().named("billing");
        let layer = layer.consecutive_failures(NonZeroU32::MIN);
        let client = layer.layer(respond_with(&[502]));
        client.clone().oneshot(get()).await.unwrap();
        let error = client.oneshot(get()).await.err().unwrap();
        let open = seawall::find_source::<CircuitOpen>(&*error).unwrap();
        assert_eq!(open.key(), Some("billing"));
    });
    let known = metrics.keys().any(|name| name.contains("key=billing"));
    let key = if known { "billing" } else { "other" };
    assert_eq!(metrics[&format!("seawall_circuit_rejections_total key={key}")], "1");
}

/// Returns the value of the only metric with this name, these labels and a label `key`.
fn value_of(metrics: &BTreeMap<String, String>, name: &str, labels: &[&str]) -> String {
    let is_match = |metric: &str| {
        metric.starts_with(&format!("{name} "))
            && metric.contains("key=")
            && labels.iter().all(|label| metric.contains(label))
    };
    let found: Vec<_> = metrics.iter().filter(|(metric, _)| is_match(metric)).collect();
    assert_eq!(found.len(), 1, "{name} in {metrics:?}");
    found[0].1.clone()
}

/// The stack has one budget per key, unless one is set. A request without a host has the name of the
/// stack as its key.
#[test]
fn standard_layer_labels_retry_metrics_with_key() {
    for (uri, budget) in
        [("http://upstream/", None), ("/", None), ("/", Some(Budget::new(Ratio::percent(20), 3)))]
    {
        let metrics = recorded(async || {
            let mut layer = StandardLayer::new("upstream").without_circuit_breaker();
            if let Some(budget) = budget {
                layer = layer.retry(RetryLayer::new().budget(budget));
            }
            let client = layer.layer(upstream(flaky::Step::status(502)));
            let request = Request::get(uri).body(Body::default()).unwrap();
            client.oneshot(request).await.unwrap();
        });
        let value = |name, labels: &[&str]| value_of(&metrics, name, labels);
        assert_eq!(value("seawall_attempts_total", &["cause=bad_gateway"]), "4");
        assert_eq!(value("seawall_retries_total", &["outcome=failure"]), "3");
        let stop_reason = ["stop_reason=budget_exhausted"];
        assert_eq!(value("seawall_retries_exhausted_total", &stop_reason), "1");
        assert_eq!(value("seawall_retry_budget_ratio", &[]), "1");
    }
}

#[test]
fn retry_metrics_have_name_of_layer() {
    let metrics = recorded(async || {
        let client = RetryLayer::new().named("upstream").layer(respond_with(&[502, 200]));
        client.oneshot(get()).await.unwrap();
    });
    assert_eq!(value_of(&metrics, "seawall_retries_total", &["outcome=success"]), "1");
    assert_eq!(value_of(&metrics, "seawall_attempts_total", &["cause=none"]), "1");
}
