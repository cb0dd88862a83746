//! The limits of a hold.

use std::time::Duration;

use seawall::{
    Cause, Elapsed, Processed, TimeoutKind,
    commit::{CommitLayer, Dialect, FirstByte},
    find_source,
};
use tokio::time::advance;

use crate::support::{
    Step, call, data, failed_before_commit, failure, fed_body, outcome, read, response, stream,
};

const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\n";
const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn layer() -> CommitLayer<Dialect> {
    CommitLayer::new(Dialect::Anthropic)
}

#[tokio::test(start_paused = true)]
async fn response_is_committed_above_max_events() {
    for (layer, max) in [(layer(), 64), (layer().max_events(3), 3), (layer().max_events(0), 0)] {
        let (mut call, feed) = stream(&layer, vec![data(PING); max]);
        assert!(call.poll().is_pending(), "{max}");
        feed.push(data(PING));
        feed.push(Step::End);
        assert_eq!(read(outcome(&mut call).unwrap()).await, PING.repeat(max + 1));
    }
}

#[tokio::test(start_paused = true)]
async fn response_is_committed_above_max_bytes() {
    let (mut call, feed) = stream(&layer(), [data(vec![b':'; 256 * 1024])]);
    assert!(call.poll().is_pending());
    feed.push(data(":"));
    assert!(outcome(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn response_is_committed_at_256_frames() {
    let (mut call, feed) = stream(&layer(), vec![data(":"); 255]);
    assert!(call.poll().is_pending());
    feed.push(data(":"));
    assert!(outcome(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn response_is_committed_after_max_hold() {
    for (layer, time) in [(layer(), 60 * SECOND), (layer().max_hold(SECOND), SECOND)] {
        let (mut call, feed) = stream(&layer, [data(PING)]);
        assert!(call.poll().is_pending());
        advance(time / 2).await;
        feed.push(data(PING));
        assert!(call.poll().is_pending());
        advance((time / 2).saturating_sub(MS)).await;
        assert!(call.poll().is_pending());
        advance(2 * MS).await;
        assert!(call.is_woken());
        let response = outcome(&mut call).unwrap();
        feed.push(Step::End);
        assert_eq!(read(response).await, PING.repeat(2));
    }
}

#[tokio::test(start_paused = true)]
async fn response_without_first_byte_fails_after_limit() {
    let layer = layer().first_byte(SECOND);
    let (mut call, feed) = stream(&layer, []);
    assert!(call.poll().is_pending());
    advance(SECOND.saturating_sub(MS)).await;
    assert!(call.poll().is_pending());
    advance(2 * MS).await;
    assert!(call.is_woken());
    let error = outcome(&mut call).unwrap_err();
    let elapsed = find_source::<Elapsed>(&*error).unwrap();
    assert_eq!((elapsed.kind(), elapsed.limit()), (TimeoutKind::FirstByte, SECOND));
    assert_eq!(elapsed.to_string(), "no byte of the response body within 1s");
    assert_eq!(failure(&error).cause(), Cause::ConnectionReadTimeout);
    assert!(!feed.is_alive(), "the body is dropped while the future lives");
}

#[tokio::test(start_paused = true)]
async fn first_byte_ends_its_limit() {
    let (mut call, _feed) = stream(&layer().first_byte(SECOND), [data(":")]);
    assert!(call.poll().is_pending());
    advance(10 * SECOND).await;
    assert!(call.poll().is_pending());
}

#[tokio::test(start_paused = true)]
async fn first_byte_commits_body_of_any_type() {
    let layer = CommitLayer::new(FirstByte::new()).first_byte(SECOND);
    let (body, feed) = fed_body([data("")]);
    let mut pending = call(&layer, response("video/mp4", body));
    assert!(pending.poll().is_pending(), "an empty frame has no byte");
    feed.push(data("x"));
    assert!(outcome(&mut pending).is_ok());

    let (body, _feed) = fed_body([]);
    let mut stalled = call(&layer, response("video/mp4", body));
    assert!(stalled.poll().is_pending());
    advance(SECOND + MS).await;
    assert!(outcome(&mut stalled).is_err());

    let (body, _feed) = fed_body([Step::Error]);
    let error = outcome(&mut call(&layer, response("video/mp4", body))).unwrap_err();
    assert_eq!(failure(&error).cause(), Cause::HttpResponseIncomplete);

    let (body, _feed) = fed_body([Step::End]);
    assert!(outcome(&mut call(&layer, response("video/mp4", body))).is_ok());
}

#[tokio::test(start_paused = true)]
async fn slow_stream_fails_after_period() {
    let layer = layer().min_rate(100, 5 * SECOND);
    let (mut call, feed) = stream(&layer, [data(PING), data(DELTA)]);
    assert!(call.poll().is_pending());
    for _ in 0..4 {
        advance(SECOND).await;
        feed.push(data(":"));
        assert!(call.poll().is_pending());
    }
    advance(SECOND + MS).await;
    assert!(call.is_woken());
    let error = outcome(&mut call).unwrap_err();
    assert_eq!(failure(&error).cause(), Cause::HttpResponseTimeout);
    assert_eq!(failure(&error).processed(), Processed::Yes);
    let text = failed_before_commit(&error).to_string();
    assert_eq!(text, "the response brought less than 100 bytes per second");
}

#[tokio::test(start_paused = true)]
async fn fast_stream_is_committed_before_end_of_period() {
    let layer = layer().min_rate(100, 5 * SECOND);
    let (mut call, feed) = stream(&layer, [data(DELTA)]);
    assert!(call.poll().is_pending());
    feed.push(data(vec![b':'; 499]));
    assert!(call.poll().is_pending());
    feed.push(data(":"));
    assert!(outcome(&mut call).is_ok());
}

#[tokio::test(start_paused = true)]
async fn slow_stream_is_committed_when_it_ends() {
    let layer = layer().min_rate(100, 5 * SECOND);
    let (mut call, _feed) = stream(&layer, [data(DELTA), Step::End]);
    assert_eq!(read(outcome(&mut call).unwrap()).await, DELTA);
}

#[tokio::test(start_paused = true)]
async fn slow_stream_fails_by_error_in_period() {
    let layer = layer().min_rate(100, 5 * SECOND);
    let (mut call, feed) = stream(&layer, [data(DELTA)]);
    assert!(call.poll().is_pending());
    feed.push(Step::Error);
    assert_eq!(failure(&outcome(&mut call).unwrap_err()).cause(), Cause::HttpResponseIncomplete);
}

#[tokio::test(start_paused = true)]
async fn zero_max_hold_judges_only_ready_events() {
    let layer = layer().max_hold(Duration::ZERO);
    let (mut ready, _feed) = stream(&layer, [data("event: error\ndata: {}\n\n")]);
    assert!(outcome(&mut ready).is_err());
    let (mut pending, _feed) = stream(&layer, [data(PING)]);
    assert!(outcome(&mut pending).is_ok());
}

#[tokio::test(start_paused = true)]
async fn dropped_call_drops_body() {
    let (mut call, feed) = stream(&layer(), [data(PING)]);
    assert!(call.poll().is_pending());
    assert!(feed.is_alive());
    drop(call);
    assert!(!feed.is_alive());
}
