//! A committed response is the response of the upstream: each byte, pause, error and trailer.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use proptest::prelude::*;
use seawall::commit::{CommitLayer, Dialect, FirstByte, Judge, PeekTrailers};
use tokio::time::{Instant, advance};

use crate::support::{Step, call, data, fed_body, outcome, response, stream};

/// The parts of streams that hold, commit, or are malformed. None of them fails.
const PARTS: &[&str] = &[
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: message_start\r\ndata: {}\r\n\r\n",
    "data: {\"choices\":[]}\n\n",
    "data: {\"usageMetadata\":{}}\r\r",
    "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
    "data: [DONE]\n\n",
    ": comment\n\n",
    "retry: 1\n\n",
    "id: 7\n",
    "data: ",
    "\n",
    "\r",
    "\u{feff}",
    "{\"id\":",
    "\0",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        8 => prop::sample::select(PARTS).prop_map(|part| part.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    let stream = prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat());
    let cuts = prop::collection::vec((0_usize..40, any::<bool>()), 1..60);
    let end = prop_oneof![Just(Step::End), Just(Step::Error), Just(Step::Trailers(trailers()))];
    (stream, cuts, end).prop_map(|(stream, cuts, end)| {
        let mut rest = &stream[..];
        let mut steps = Vec::new();
        for (len, pauses) in cuts.into_iter().cycle().take(2_000) {
            let (frame, after) = rest.split_at(len.min(rest.len()));
            steps.push(data(frame));
            if pauses {
                steps.push(Step::Pause);
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        steps.push(end);
        steps
    })
}

fn trailers() -> HeaderMap {
    [("x-checksum".parse().unwrap(), "1".parse().unwrap())].into_iter().collect()
}

/// The bytes, trailers and error of a body, in order.
#[derive(Debug, Default, PartialEq)]
struct Content {
    bytes: Vec<u8>,
    frames: usize,
    trailers: Option<HeaderMap>,
    error: Option<String>,
}

async fn content<B>(mut body: B) -> Content
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<seawall::BoxError>,
{
    let mut content = Content::default();
    while let Some(frame) = body.frame().await {
        match frame.map_err(Into::into) {
            Ok(frame) => match frame.into_data() {
                Ok(data) => {
                    content.bytes.extend_from_slice(&data);
                    content.frames += 1;
                }
                Err(frame) => content.trailers = frame.into_trailers().ok(),
            },
            Err(error) => content.error = Some(error.to_string()),
        }
    }
    content
}

async fn check<J: Judge + Clone + Send + 'static>(judge: J, content_type: &str, steps: &[Step]) {
    // Without its error event, which follows the bytes of the upstream: see `ending`.
    let layer = CommitLayer::new(NoErrorEvent(judge)).max_events(20);
    let (body, _feed) = fed_body(steps.iter().cloned());
    let expected = content(body).await;
    let (body, _feed) = fed_body(steps.iter().cloned());
    match call(&layer, response(content_type, body)).await {
        Ok(response) => {
            // At most one error follows later, after its delay.
            let lower = response.body().size_hint().lower();
            assert!(lower <= expected.bytes.len() as u64);
            assert_eq!(content(response.into_body()).await, expected);
        }
        Err(error) => {
            let is_early = expected.error.is_some() || error.to_string().contains("ended before");
            assert!(is_early, "{error}");
        }
    }
}

#[derive(Clone)]
struct NoErrorEvent<J>(J);

impl<J: Judge> Judge for NoErrorEvent<J> {
    fn reading(&self, headers: &HeaderMap) -> Option<seawall::commit::Reading> {
        self.0.reading(headers)
    }

    fn judge_event(&self, event: &seawall::commit::Event<'_>) -> seawall::commit::Verdict {
        self.0.judge_event(event)
    }

    fn judge_end(&self) -> seawall::commit::Verdict {
        self.0.judge_end()
    }

    fn judge_bytes(&self, bytes: &[u8], is_complete: bool) -> seawall::commit::Verdict {
        self.0.judge_bytes(bytes, is_complete)
    }
}

proptest! {
    #[test]
    fn layer_replays_response_exactly(steps in steps()) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini] {
                check(dialect, "text/event-stream", &steps).await;
                check(dialect, "application/json", &steps).await;
            }
            check(FirstByte::new(), "image/png", &steps).await;
            check(PeekTrailers::new(), "application/grpc", &steps).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn held_bytes_count_in_size_hint() {
    let event = "data: {\"choices\":[]}\n\n";
    let (body, _feed) = fed_body([data(event), data("data: x\n\n"), data("y")]);
    let len = event.len() as u64 + 9 + 1;
    let layer = CommitLayer::new(Dialect::OpenAi);
    let response = response("text/event-stream", body.sized(len));
    let mut body = outcome(&mut call(&layer, response)).unwrap().into_body();
    for frame in [event, "data: x\n\n", "y"] {
        let hint = body.size_hint();
        assert!(!body.is_end_stream());
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data, frame);
        assert_eq!(hint.exact(), Some(body.size_hint().exact().unwrap() + frame.len() as u64));
    }
}

#[tokio::test(start_paused = true)]
async fn ended_body_is_end_stream_after_last_held_frame() {
    let layer = CommitLayer::new(Dialect::OpenAi);
    let (body, _feed) = fed_body([data("{\"error\":"), Step::End]);
    let response = response("application/json", body);
    let mut body = outcome(&mut call(&layer, response)).unwrap().into_body();
    assert!(!body.is_end_stream());
    assert!(body.frame().await.is_some());
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
    assert!(body.frame().await.is_none());
}

/// A server needs time to write the held data, which it drops when the body fails.
#[tokio::test(start_paused = true)]
async fn error_follows_held_data_later() {
    let layer = CommitLayer::new(NoErrorEvent(Dialect::OpenAi));
    let (mut call, feed) = stream(&layer, [data("data: x\n\n")]);
    let mut body = outcome(&mut call).unwrap().into_body();
    feed.push(Step::Error);
    assert!(body.frame().await.unwrap().is_ok());
    let start = Instant::now();
    let mut error = tokio_test::task::spawn(body.frame());
    assert!(error.poll().is_pending());
    advance(Duration::from_millis(101)).await;
    assert!(error.is_woken());
    assert!(matches!(error.poll(), std::task::Poll::Ready(Some(Err(_)))));
    assert!(start.elapsed() >= Duration::from_millis(100));
}
