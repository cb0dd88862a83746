//! The streams in `tests/data/streams`, which are composed from the formats that providers document.

use std::{fs, path::Path};

use http::StatusCode;
use seawall::{
    Processed,
    commit::{CommitLayer, Dialect},
};

use crate::support::{Step, data, failed_before_commit, failure, outcome, read, stream};

/// A stream, and the expected result.
struct Record {
    name: String,
    verdict: String,
    /// The part that is held.
    held: String,
    /// The part that decides, and the rest.
    rest: String,
}

fn records(file: &str) -> Vec<Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/streams").join(file);
    let text = fs::read_to_string(path).unwrap();
    let records = text.split("=== ").skip(1).map(|record| {
        let (title, stream) = record.split_once('\n').unwrap();
        let (name, verdict) = title.rsplit_once(": ").unwrap();
        let (held, rest) = stream.split_once("<<<\n").unwrap_or((stream, ""));
        Record {
            name: name.to_owned(),
            verdict: verdict.to_owned(),
            held: held.to_owned(),
            rest: rest.to_owned(),
        }
    });
    let records: Vec<_> = records.collect();
    assert!(records.len() >= 40, "{file}: {} streams", records.len());
    records
}

/// Returns the streams, and the end of each event.
fn events(stream: &str) -> Vec<&str> {
    stream.split_inclusive("\n\n").flat_map(|it| it.split_inclusive("\r\n\r\n")).collect()
}

/// The stream arrives event by event. Checks that the response is held until the deciding event.
async fn check_by_events(dialect: Dialect, record: &Record) {
    let layer = CommitLayer::new(dialect);
    let (mut call, feed) = stream(&layer, []);
    assert!(call.poll().is_pending(), "{}", record.name);
    for event in events(&record.held) {
        feed.push(data(event));
        assert!(call.poll().is_pending(), "{}: passes {event:?}", record.name);
    }
    let rest = events(&record.rest);
    match rest.split_first() {
        Some((event, _)) => feed.push(data(event)),
        None => feed.push(Step::End),
    }
    let result = outcome(&mut call);
    for event in rest.iter().skip(1) {
        feed.push(data(event));
    }
    feed.push(Step::End);
    match result {
        Ok(response) => {
            assert_eq!(record.verdict, "commit", "{}", record.name);
            let body = read(response).await;
            assert_eq!(body, format!("{}{}", record.held, record.rest), "{}", record.name);
        }
        Err(error) => check_failure(record, &error),
    }
}

/// The stream arrives in frames of `len` bytes, with pauses.
async fn check_by_frames(dialect: Dialect, record: &Record, len: usize) {
    let whole = format!("{}{}", record.held, record.rest);
    let frames = whole.as_bytes().chunks(len.max(1)).flat_map(|it| [data(it), Step::Pause]);
    let (mut call, feed) = stream(&CommitLayer::new(dialect), frames);
    feed.push(Step::End);
    match (&mut call).await {
        Ok(response) => {
            assert_eq!(record.verdict, "commit", "{} by {len}", record.name);
            assert_eq!(read(response).await, whole, "{} by {len}", record.name);
        }
        Err(error) => check_failure(record, &error),
    }
}

fn check_failure(record: &Record, error: &seawall::BoxError) {
    let failure = failure(error);
    let status = failure.status().as_ref().map(StatusCode::as_str).unwrap_or_default().to_owned();
    let found = format!("fail {} {status}", failure.cause());
    assert_eq!(found.trim_end(), record.verdict, "{}", record.name);
    let reported = failed_before_commit(error).reported_error();
    assert_eq!(reported.is_some(), !record.rest.is_empty(), "{}", record.name);
    assert_ne!(failure.processed(), Processed::No, "{}", record.name);
}

async fn check_all(dialect: Dialect, file: &str) {
    for record in records(file) {
        check_by_events(dialect, &record).await;
        let len = record.held.len() + record.rest.len();
        for frames in [1, 2, 100, 200] {
            check_by_frames(dialect, &record, len.div_ceil(frames)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn layer_judges_streams_of_chat_completions() {
    check_all(Dialect::OpenAi, "openai-chat.txt").await;
}

#[tokio::test(start_paused = true)]
async fn layer_judges_streams_of_responses() {
    check_all(Dialect::OpenAi, "openai-responses.txt").await;
}

#[tokio::test(start_paused = true)]
async fn layer_judges_streams_of_anthropic() {
    check_all(Dialect::Anthropic, "anthropic.txt").await;
}

#[tokio::test(start_paused = true)]
async fn layer_judges_streams_of_gemini() {
    check_all(Dialect::Gemini, "gemini.txt").await;
}

#[tokio::test(start_paused = true)]
async fn gemini_error_has_requested_wait() {
    for (delay, expected) in [
        ("\"34.5s\"", Some(34.5)),
        ("\"999999s\"", Some(86_400.0)),
        ("\"1e99s\"", None),
        ("\"-1s\"", None),
        ("\"NaNs\"", None),
        ("\"soon\"", None),
        ("7", None),
    ] {
        let event = format!(
            "data: {{\"error\":{{\"code\":429,\"details\":[{{\"@type\":\"x\"}},{{\"retryDelay\":{delay}}}]}}}}\n\n"
        );
        let (mut call, _feed) = stream(&CommitLayer::new(Dialect::Gemini), [data(event)]);
        let wait = failure(&outcome(&mut call).unwrap_err()).retry_after();
        assert_eq!(wait.map(|wait| wait.as_secs_f64()), expected, "{delay}");
    }
}

#[tokio::test(start_paused = true)]
async fn error_has_reported_text_but_shows_none() {
    let event = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"secret\"}}\n\n";
    let (mut call, feed) = stream(&CommitLayer::new(Dialect::Anthropic), [data(event)]);
    let error = outcome(&mut call).unwrap_err();
    let error = failed_before_commit(&error);
    assert!(error.reported_error().unwrap().ends_with("\"message\":\"secret\"}}"));
    assert!(!format!("{error} {error:?}").contains("secret"));
    assert_eq!(error.to_string(), "the response has an error in place of content");
    assert!(!feed.is_alive(), "the body is dropped while the future lives");
}
