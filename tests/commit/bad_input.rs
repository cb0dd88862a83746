//! Streams of a faulty or hostile upstream: bounded, without a hang, and unchanged when committed.

use std::time::Duration;

use seawall::commit::{CommitLayer, Dialect};
use tokio::time::advance;

use crate::support::{Step, data, outcome, read, stream};

const DIALECTS: [Dialect; 3] = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini];
const MAX_BYTES: usize = 256 * 1024;

/// Returns the bytes that were read when the response was committed.
fn bytes_until_commit(dialect: Dialect, frame: &[u8]) -> usize {
    let (mut call, feed) = stream(&CommitLayer::new(dialect), []);
    let mut len = 0;
    while call.poll().is_pending() {
        assert!(len < 4 * MAX_BYTES, "the response is held");
        feed.push(data(frame));
        len += frame.len();
    }
    len
}

#[tokio::test(start_paused = true)]
async fn endless_line_is_committed_at_limit() {
    for start in ["data: ", ": ", "event: ", "id: ", "x"] {
        for dialect in DIALECTS {
            let mut frame = start.as_bytes().to_vec();
            frame.resize(8 * 1024, b'a');
            let len = bytes_until_commit(dialect, &frame);
            assert!(len <= MAX_BYTES + 2 * frame.len(), "{start}: {len}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn large_event_is_committed_unchanged() {
    let event = format!("event: message_start\ndata: {{\"x\":\"{}\"}}\n\n", "a".repeat(10 << 20));
    let frames = event.as_bytes().chunks(64 * 1024).map(data);
    let (mut call, feed) = stream(&CommitLayer::new(Dialect::Anthropic), frames);
    let response = outcome(&mut call).unwrap();
    feed.push(Step::End);
    assert!(read(response).await == event);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_comments_are_bounded() {
    for dialect in DIALECTS {
        let comment = b": keep-alive\n\n";
        // 256 frames.
        assert!(bytes_until_commit(dialect, comment) <= 257 * comment.len());
        let comments = comment.repeat(10_000);
        let frames = comments.chunks(4096).map(data);
        let (mut call, feed) = stream(&CommitLayer::new(dialect), frames);
        assert!(call.poll().is_pending(), "140,000 bytes of comments are no content");
        feed.push(data("data: x\n\n"));
        feed.push(Step::End);
        let body = read(outcome(&mut call).unwrap()).await;
        assert!(body.starts_with(&comments) && body.ends_with(b"data: x\n\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_utf8_is_committed_unchanged() {
    for dialect in DIALECTS {
        for bytes in
            [&b"data: \xff\xfe\n\n"[..], b"data: {\"x\":\"\xc3\"}\n\n", b"data: \xed\xa0\x80\n\n"]
        {
            let frames = bytes.chunks(1).map(data);
            let (mut call, feed) = stream(&CommitLayer::new(dialect), frames);
            feed.push(Step::End);
            // Gemini's chunk of an unknown member is content too.
            assert_eq!(read(outcome(&mut call).unwrap()).await, bytes);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_utf8_in_comment_does_not_end_hold() {
    let (mut call, _feed) =
        stream(&CommitLayer::new(Dialect::OpenAi), [data(b": \xff\n\ndata: {\"choices\":[]}\n\n")]);
    assert!(call.poll().is_pending());
}

#[tokio::test(start_paused = true)]
async fn pings_for_an_hour_are_committed_after_max_hold() {
    let (mut call, feed) = stream(&CommitLayer::new(Dialect::Anthropic), []);
    let mut waited = Duration::ZERO;
    while call.poll().is_pending() {
        assert!(waited < Duration::from_secs(70), "the response is held");
        advance(Duration::from_secs(5)).await;
        waited += Duration::from_secs(5);
        feed.push(data("event: ping\ndata: {\"type\": \"ping\"}\n\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn nested_json_neither_panics_nor_fails() {
    for dialect in DIALECTS {
        for json in [
            "[".repeat(100_000),
            format!("{{\"choices\":{}1{}}}", "[".repeat(100), "]".repeat(100)),
            "{\"error\":".repeat(10_000),
            "{\"choices\":[null,1,{\"delta\":7}]}".to_owned(),
            "{\"candidates\":{\"content\":1}}".to_owned(),
            "{\"type\":7}".to_owned(),
            "9e999999".to_owned(),
        ] {
            let (mut call, _feed) =
                stream(&CommitLayer::new(dialect), [data(format!("data: {json}\n\n"))]);
            assert!(outcome(&mut call).is_ok(), "{dialect:?}");
        }
    }
}
