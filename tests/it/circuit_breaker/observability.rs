//! What is told of a circuit: by its handle, its error and its events.

use super::*;

#[tokio::test(start_paused = true)]
async fn its_times_are_told_as_of_now_by_the_handle_and_by_the_error() {
    let upstream = upstream(Step::status(503).header("retry-after", "20"));
    let layer = quick();
    advance(seconds(7)).await;
    for _ in 0..2 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    advance(seconds(3)).await;
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.time_in_state(), snapshot.next_probe()), (seconds(3), Some(seconds(17))));
    let error = layer.layer(upstream).oneshot(get()).await.unwrap_err();
    let refused = refusal(&error);
    assert_eq!((refused.time_open(), refused.retry_after()), (seconds(3), Some(seconds(17))));
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_circuit_in_its_text() {
    let layer = quick().named("billing");
    layer.handle().force_open();
    let error = layer.layer(upstream(Step::status(200))).oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "circuit open for \"billing\", forced");
}

#[tokio::test(start_paused = true)]
async fn each_change_of_state_begins_another_generation() {
    let layer = quick();
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    layer.handle().force_open();
    layer.handle().release();
    layer.handle().force_closed();
    let events = recorder.events();
    let generations: Vec<_> = events.iter().map(|event| event.get("generation")).collect();
    assert_eq!(generations, [Some("1"), Some("2"), Some("3")]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_too_long_is_told_as_one_too_many() {
    let layer = quick().per_key(by_authority);
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    for _ in 0..2 {
        let request = get_from(&format!("http://{}/", "h".repeat(1_025)));
        layer.layer(upstream(Step::status(200))).oneshot(request).await.unwrap();
    }
    let events = recorder.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].get("most"), Some("4096"));
}
