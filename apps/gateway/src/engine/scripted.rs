//! Scripted upstreams with OpenAI's and Anthropic's protocols and injected faults, to try the gateway
//! without an API key.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const WORDS: [&str; 6] = ["All", " is", " well", " that", " ends", " well."];

const WORD_INTERVAL: Duration = Duration::from_millis(100);

/// The behavior of a scripted upstream.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScriptedBehavior {
    /// Returns 200 to every request.
    Healthy,
    /// Returns 429 to every second request, with `retry-after-ms: 300`.
    RateLimited,
    /// Returns 502 to every request.
    BadGateway,
    /// Returns 529 to every third request.
    Overloaded,
    /// Interrupts every streamed response after three words.
    #[serde(rename = "breaks_off")]
    InterruptedStream,
}

/// A scripted upstream, which runs until it is dropped.
#[derive(Debug)]
pub(super) struct ScriptedUpstream {
    pub(super) url: Uri,
    server: JoinHandle<()>,
}

impl ScriptedUpstream {
    pub(super) fn start(behavior: ScriptedBehavior) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?).parse().map_err(io::Error::other)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let count = Arc::new(AtomicU64::new(0));
        let router = Router::new().fallback(respond).with_state((behavior, count));
        let server = tokio::spawn(async move {
            // `axum::serve` does not return an error.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, server })
    }
}

impl Drop for ScriptedUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn respond(
    State((behavior, count)): State<(ScriptedBehavior, Arc<AtomicU64>)>,
    uri: Uri,
    request: Option<Json<Value>>,
) -> Response {
    let number = count.fetch_add(1, Ordering::Relaxed) + 1;
    let error = json!({ "error": { "type": "scripted", "message": "failed on purpose" } });
    match behavior {
        ScriptedBehavior::RateLimited if number.is_multiple_of(2) => {
            let wait = [("retry-after-ms", "300")];
            return (StatusCode::TOO_MANY_REQUESTS, wait, Json(error)).into_response();
        }
        ScriptedBehavior::BadGateway => {
            return (StatusCode::BAD_GATEWAY, Json(error)).into_response();
        }
        ScriptedBehavior::Overloaded if number.is_multiple_of(3) => {
            let overloaded = StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            return (overloaded, Json(error)).into_response();
        }
        _ => {}
    }
    let is_anthropic = uri.path().ends_with("/messages");
    if request.is_some_and(|Json(request)| request["stream"] == true) {
        let events = if is_anthropic { anthropic_events() } else { openai_events() };
        return stream_response(events, behavior);
    }
    let text = WORDS.concat();
    Json(if is_anthropic {
        json!({
            "id": "m1", "type": "message", "role": "assistant", "model": "scripted",
            "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn",
            "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": WORDS.len() },
        })
    } else {
        let message = json!({ "role": "assistant", "content": text });
        json!({
            "id": "c1", "object": "chat.completion", "created": 0, "model": "scripted",
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        })
    })
    .into_response()
}

fn stream_response(events: Vec<String>, behavior: ScriptedBehavior) -> Response {
    let interrupted = behavior == ScriptedBehavior::InterruptedStream;
    let count = if interrupted { events.len() / 2 } else { events.len() };
    let events = stream::iter(events.into_iter().take(count)).then(async |event| {
        tokio::time::sleep(WORD_INTERVAL).await;
        Ok(Bytes::from(event))
    });
    let end = stream::iter(interrupted.then(|| Err(io::Error::other("interrupted on purpose"))));
    let mut response = Body::from_stream(events.chain(end)).into_response();
    let events = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, events);
    response
}

fn openai_events() -> Vec<String> {
    let chunk = |delta: Value, reason: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        let chunk = json!({
            "id": "c1", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
            "choices": [choice],
        });
        format!("data: {chunk}\n\n")
    };
    let words = WORDS.iter().map(|word| chunk(json!({ "content": word }), None));
    words.chain([chunk(json!({}), Some("stop")), "data: [DONE]\n\n".into()]).collect()
}

fn anthropic_events() -> Vec<String> {
    let event = |data: Value| {
        format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
    };
    let message = json!({
        "id": "m1", "type": "message", "role": "assistant", "model": "scripted", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 0 },
    });
    let block = json!({ "type": "text", "text": "" });
    let mut events = vec![
        event(json!({ "type": "message_start", "message": message })),
        event(json!({ "type": "content_block_start", "index": 0, "content_block": block })),
    ];
    events.extend(WORDS.iter().map(|word| {
        let delta = json!({ "type": "text_delta", "text": word });
        event(json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
    }));
    let delta = json!({ "stop_reason": "end_turn", "stop_sequence": null });
    let usage = json!({ "output_tokens": WORDS.len() });
    events.extend([
        event(json!({ "type": "content_block_stop", "index": 0 })),
        event(json!({ "type": "message_delta", "delta": delta, "usage": usage })),
        event(json!({ "type": "message_stop" })),
    ]);
    events
}
