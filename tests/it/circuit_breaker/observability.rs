//! The handle, the error and the events of a circuit.

use super::*;

#[tokio::test(start_paused = true)]
async fn handle_and_error_report_current_durations() {
    let upstream = upstream(Step::status(503).header("retry-after", "20"));
    let layer = opens_at_two();
    advance(seconds(7)).await;
    for _ in 0..2 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    advance(seconds(3)).await;
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.time_in_state(), snapshot.next_probe()), (seconds(3), Some(seconds(17))));
    let error = layer.layer(upstream).oneshot(get()).await.unwrap_err();
    let rejection = circuit_open(&error);
    assert_eq!((rejection.time_open(), rejection.retry_after()), (seconds(3), Some(seconds(17))));
}

#[tokio::test(start_paused = true)]
async fn error_displays_name_of_circuit() {
    let layer = opens_at_two().named("billing");
    layer.handle().force_open();
    let error = layer.layer(upstream(Step::status(200))).oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "circuit open for \"billing\", forced");
}

#[tokio::test(start_paused = true)]
async fn each_state_change_starts_new_generation() {
    let layer = opens_at_two();
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    layer.handle().force_open();
    layer.handle().release();
    layer.handle().force_closed();
    let events = recorder.events();
    let generations: Vec<_> = events.iter().map(|event| event.get("generation")).collect();
    assert_eq!(generations, [Some("1"), Some("2"), Some("3")]);
}

#[tokio::test(start_paused = true)]
async fn overlong_key_emits_event_of_untracked_key() {
    let layer = opens_at_two().per_key(by_authority);
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    for _ in 0..2 {
        let request = get_from(&format!("http://{}/", "h".repeat(1_025)));
        layer.layer(upstream(Step::status(200))).oneshot(request).await.unwrap();
    }
    let events = recorder.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].get("max_keys"), Some("4096"));
}

#[tokio::test(start_paused = true)]
async fn each_state_change_emits_one_event_with_cause_and_counts() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    for _ in 0..4 {
        let _ = service.clone().oneshot(get_from("http://a/")).await;
    }
    upstream.set_script(Step::status(200)).unwrap();
    advance(seconds(2)).await;
    for _ in 0..3 {
        service.clone().oneshot(get_from("http://a/")).await.unwrap();
    }
    let events = recorder.events();
    let changes: Vec<_> = events
        .iter()
        .map(|event| {
            ["old", "new", "cause", "calls", "failures", "rejected"]
                .map(|name| event.get(name).unwrap())
        })
        .collect();
    assert_eq!(
        changes,
        [
            ["closed", "open", "bad_gateway", "2", "2", "0"],
            ["open", "half_open", "bad_gateway", "0", "0", "2"],
            ["half_open", "closed", "bad_gateway", "3", "0", "2"],
        ]
    );
    assert_eq!(events[0].get("key"), Some("\"a\""));
}

#[test]
fn debug_output_shows_settings() {
    let layer =
        CircuitBreakerLayer::new().failure_predicate(|_| true).failure_ratio(Ratio::percent(7));
    let text = format!("{layer:?}");
    assert!(text.contains("failure_predicate: Some") && text.contains("70000"), "{text}");
    let text = format!("{:?}", CircuitBreakerLayer::new().per_key(by_authority));
    assert!(text.contains("failure_predicate: None") && text.contains("BoundedMap"), "{text}");
    let service = CircuitBreakerLayer::new().layer(());
    assert!(format!("{service:?}").starts_with("CircuitBreaker { inner: ()"));
}
