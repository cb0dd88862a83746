//! `LoggingLayer`: one log line per request, with its outcome.

mod body_end;
#[cfg(feature = "full")]
mod cancellation;
mod content_length;
#[cfg(unix)]
mod curl;
mod emission;
mod escaping;
mod fields;
mod formatters;
mod fuzz;
#[cfg(feature = "full")]
mod gateway;
mod grpc;
mod levels;
#[cfg(feature = "full")]
mod open_circuit;
mod optional_fields;
mod panics;
mod redacted;
mod redacted_text;
#[cfg(feature = "full")]
mod rejections;
#[cfg(feature = "retry")]
mod retries;
mod traces;

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, Full};
use seawall::{
    BoxError, Cause, Failure,
    logging::{Level, LoggingLayer, ResponseBody},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;

use crate::{
    log_capture::{Line, Recorder},
    support::{Action, Script, ScriptedBody, Step, response},
};

type Body = Full<Bytes>;

const URL: &str = "http://user:hunter2@upstream:8080/a/b?token=SECRET";

const URL_REDACTED: &str = "http://REDACTED:REDACTED@upstream:8080/a/b?token=REDACTED";

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}

/// Calls the service, reads the complete body, and returns the log line.
async fn log(layer: LoggingLayer, act: Action<ScriptedBody>) -> Line {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let result = layer.layer(Script::new([act])).oneshot(get(URL)).await;
    if let Ok(response) = result {
        let _ = response.into_body().collect().await;
    }
    recorder.line()
}

fn answer(status: u16) -> Action<ScriptedBody> {
    Action::Respond(response(status))
}

#[cfg(feature = "error-response")]
#[tokio::test(start_paused = true)]
async fn log_contains_cause_of_error_response() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let inner = seawall::error_response::ErrorResponseLayer::new("edge")
        .layer(Script::new([Action::<Body>::Fail(refused.into())]));
    let response = LoggingLayer::server().layer(inner).oneshot(get(URL)).await.unwrap();
    drop(response.into_body().collect().await);
    let line = recorder.line();
    assert_eq!(line.get("error.type"), Some("502"));
    assert_eq!(line.get("seawall.cause"), Some("connection_refused"));
    assert!(
        line.message().contains("connection refused (detected locally, status 502; not processed)")
    );
}

/// Applications may log a response or its future with `Debug`.
#[tokio::test(start_paused = true)]
async fn debug_output_hides_request_secrets() {
    let (_recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let body = ScriptedBody::new([Step::Data("text".into())]);
    let client = service_fn(move |_: Request<Body>| {
        std::future::ready(Ok::<_, BoxError>(Response::new(body.clone())))
    });
    let mut request = get(URL);
    request.headers_mut().insert("x-secret", "SECRET".parse().unwrap());
    let call = LoggingLayer::client().layer(client).call(request);
    let future = format!("{call:?}");
    for debug in [future, format!("{:?}", call.await.unwrap())] {
        assert!(!debug.contains("SECRET") && !debug.contains("hunter2"), "{debug}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_has_one_span() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(Script::new([answer(200)]));
    drop(service.oneshot(get(URL)).await.unwrap());
    let [span] = recorder.spans().try_into().unwrap();
    assert_eq!((span.level, span.span), (tracing::Level::INFO, Some("request")));
    assert_eq!(span.get("url.path"), Some("/a/b"));
    assert_eq!(recorder.line().span, Some("request"));
}

#[tokio::test(start_paused = true)]
async fn line_is_complete_when_span_is_filtered_out() {
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    let service = LoggingLayer::client().layer(Script::new([answer(502)]));
    drop(service.oneshot(get(URL)).await.unwrap());
    let line = recorder.line();
    assert_eq!((line.span, recorder.spans().len()), (None, 0));
    assert_eq!(line.get("url.full"), Some(URL_REDACTED));
}

#[tokio::test(start_paused = true)]
async fn log_redacts_url_secrets() {
    for layer in [LoggingLayer::client(), LoggingLayer::server()] {
        let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
        let service = layer.layer(Script::new([answer(200), answer(502)]));
        for _ in 0..2 {
            drop(service.clone().oneshot(get(URL)).await.unwrap().into_body().collect().await);
        }
        let all = format!("{:?} {:?}", recorder.events(), recorder.spans());
        for secret in ["hunter2", "user:", "SECRET"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn log_escapes_and_truncates_foreign_text() {
    let text = format!("a\r\nb\u{1b}[31m\u{202e}{}", "x".repeat(10_000));
    let line = log(LoggingLayer::client(), Action::Fail(text.into())).await;
    let message = line.get("error.message").unwrap();
    assert!(message.starts_with(r"a\u{d}\u{a}b\u{1b}[31m\u{202e}xxx"), "{message}");
    assert!(message.chars().count() < 400 && message.ends_with('…'));
}

#[derive(Debug)]
struct Opaque;

impl std::fmt::Display for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("opaque")
    }
}

#[tokio::test(start_paused = true)]
async fn log_contains_display_text_of_unknown_error() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client()
        .layer(service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(Opaque)));
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    assert_eq!(line.get("error.message"), Some("opaque"));
    assert_eq!(line.get("error.type"), Some("unknown"));
}

#[tokio::test(start_paused = true)]
async fn layer_forwards_call_unchanged_without_subscriber() {
    let service =
        LoggingLayer::client().layer(Script::new([answer(200), Action::Fail("x".into())]));
    let response: Response<ResponseBody<ScriptedBody>> =
        service.clone().oneshot(get(URL)).await.unwrap();
    drop(response);
    let error: BoxError = service.oneshot(get(URL)).await.unwrap_err();
    assert_eq!(error.to_string(), "x");
}
