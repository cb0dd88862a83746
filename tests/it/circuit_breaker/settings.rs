//! Settings, in any order of the setters.

use super::*;

#[tokio::test(start_paused = true)]
async fn open_duration_does_not_exceed_maximum() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().max_open_duration(seconds(3));
    open(&layer, &upstream).await;
    for _ in 0..3 {
        let wait = layer.handle().snapshot().next_probe().unwrap();
        assert!(wait <= seconds(3), "{wait:?}");
        advance(wait).await;
        for _ in 0..3 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn max_retry_after_caps_open_duration() {
    for (max, expected) in [(5, 5..=5), (0, 1..=2)] {
        let upstream = upstream(Step::status(503).header("retry-after", "20"));
        let layer = opens_at_two().max_retry_after(seconds(max));
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        let wait = layer.handle().snapshot().next_probe().unwrap();
        assert!(
            (seconds(*expected.start())..=seconds(*expected.end())).contains(&wait),
            "{wait:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn dry_run_admits_calls_when_forced_open_until_disabled() {
    let dry_run = opens_at_two().dry_run(true);
    for (layer, is_admitted) in [(dry_run.clone(), true), (dry_run.dry_run(false), false)] {
        layer.handle().force_open();
        let outcome = layer.layer(upstream(Step::status(200))).oneshot(get()).await;
        assert_eq!(outcome.is_ok(), is_admitted);
    }
}

#[tokio::test(start_paused = true)]
async fn setter_creates_new_circuit_when_layer_is_cloned() {
    let layer = opens_at_two();
    layer.handle().force_open();
    let changed = layer.clone().half_open_probes(NonZeroU32::MIN);
    assert_eq!(layer.handle().state(), State::ForcedOpen);
    assert_eq!(changed.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn handle_follows_circuit_when_setters_follow() {
    let layer = CircuitBreakerLayer::new();
    let circuit = layer.handle();
    let layer = layer.consecutive_failures(NonZeroU32::MIN).named("billing");
    layer.layer(upstream(Step::status(502))).oneshot(get()).await.unwrap();
    assert_eq!(circuit.state(), State::Open);
    assert_eq!(circuit.key(), Some("billing"));
}

#[tokio::test(start_paused = true)]
async fn handle_follows_circuits_of_keys_when_setters_follow() {
    let layer = CircuitBreakerLayer::new().per_key(by_authority);
    let circuits = layer.handle();
    let layer = layer.consecutive_failures(NonZeroU32::MIN);
    layer.layer(upstream(Step::status(502))).oneshot(get()).await.unwrap();
    assert_eq!(circuits.get("upstream").unwrap().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn service_keeps_its_circuit_when_layer_changes() {
    let layer = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
    let (circuit, upstream) = (layer.handle(), upstream(Step::status(502)));
    let service = layer.layer(upstream.clone());
    let changed = layer.without_consecutive_failures();
    changed.layer(upstream).oneshot(get()).await.unwrap();
    assert_eq!(circuit.state(), State::Closed);
    service.oneshot(get()).await.unwrap();
    assert_eq!(circuit.state(), State::Open);
    assert_eq!(changed.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn name_and_other_settings_apply_in_any_order() {
    let named_first = CircuitBreakerLayer::new().named("billing").min_calls(2);
    let named_last = CircuitBreakerLayer::new().min_calls(2).named("billing");
    for layer in [named_first, named_last] {
        let upstream = upstream(Step::status(502));
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().key(), Some("billing"));
        assert_eq!(layer.handle().state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn settings_apply_before_and_after_per_key() {
    let keyed_first = CircuitBreakerLayer::new().per_key(by_authority).min_calls(2);
    let keyed_last = CircuitBreakerLayer::new().min_calls(2).per_key(by_authority);
    for layer in [keyed_first, keyed_last] {
        let upstream = upstream(Step::status(502));
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().get("upstream").unwrap().state(), State::Open);
    }
}
