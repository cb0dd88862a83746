//! `LoggingLayer`: one line a request, with what happened.

#[cfg(feature = "full")]
mod cancellation;
mod content_length;
#[cfg(unix)]
mod curl;
mod escaping;
mod fields;
mod formatters;
mod fuzz;
#[cfg(feature = "full")]
mod open_circuit;
mod options;
mod panics;
mod redacted;
mod traces;

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, Full};
use seawall::{
    BoxError, Cause, Failure, LoggingLayer,
    logging::{Level, ResponseBody},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;

use crate::{
    log_capture::{Line, Recorder},
    support::{Act, Script, Step, Steps, response},
};

type Body = Full<Bytes>;

const URL: &str = "http://user:hunter2@upstream:8080/a/b?token=SECRET";
const URL_REDACTED: &str = "http://REDACTED:REDACTED@upstream:8080/a/b?token=REDACTED";

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}

/// Calls, reads the body to its end, and gives what was logged.
async fn log(layer: LoggingLayer, act: Act<Steps>) -> Line {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let result = layer.layer(Script::new([act])).oneshot(get(URL)).await;
    if let Ok(response) = result {
        let _ = response.into_body().collect().await;
    }
    recorder.line()
}

fn answer(status: u16) -> Act<Steps> {
    Act::Answer(response(status))
}

#[tokio::test(start_paused = true)]
async fn a_success_on_a_server_is_one_line_at_info() {
    let line = log(LoggingLayer::server(), answer(200)).await;
    assert_eq!(line.level, tracing::Level::INFO);
    assert_eq!(line.get("http.request.method"), Some("GET"));
    assert_eq!(line.get("url.path"), Some("/a/b"));
    assert_eq!(line.get("http.response.status_code"), Some("200"));
    assert_eq!(line.get("seawall.outcome"), Some("complete"));
    assert_eq!(line.get("error.type"), None);
    assert_eq!(line.get("url.full"), None);
    assert_eq!(line.message(), "GET /a/b -> 200 in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn a_success_on_a_client_is_one_line_at_debug() {
    let line = log(LoggingLayer::client(), answer(200)).await;
    assert_eq!(line.level, tracing::Level::DEBUG);
    assert_eq!(line.get("url.full"), Some(URL_REDACTED));
    assert_eq!(line.message(), "GET http://upstream:8080/a/b -> 200 in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn a_failed_response_is_a_warning_with_its_cause() {
    let line = log(LoggingLayer::client(), answer(502)).await;
    assert_eq!(line.level, tracing::Level::WARN);
    assert_eq!(line.get("error.type"), Some("502"));
    assert_eq!(line.get("seawall.cause"), Some("bad_gateway"));
    assert_eq!(line.get("server.address"), Some("upstream"));
    assert_eq!(line.get("server.port"), Some("8080"));
    assert_eq!(line.get("seawall.processed"), Some("maybe"));
    assert_eq!(line.get("seawall.reporter"), Some("unknown"));
    assert_eq!(
        line.message(),
        "GET http://upstream:8080/a/b -> bad gateway (status 502; may have been processed) in 0.0ns",
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_is_a_warning_with_its_innermost_text() {
    let error = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
    let line = log(LoggingLayer::client(), Act::Fail(error.into())).await;
    assert_eq!(line.level, tracing::Level::WARN);
    assert_eq!(line.get("error.type"), Some("connection_refused"));
    assert_eq!(line.get("error.message"), Some("connection refused"));
    assert_eq!(line.get("seawall.outcome"), Some("error"));
    assert_eq!(line.get("seawall.reporter"), Some("local"));
    assert_eq!(line.get("http.response.status_code"), None);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_request_is_no_warning() {
    for status in [400, 404, 409] {
        let line = log(LoggingLayer::server(), answer(status)).await;
        assert_eq!(line.level, tracing::Level::INFO, "{status}");
        let line = log(LoggingLayer::client(), answer(status)).await;
        assert_eq!(line.level, tracing::Level::DEBUG, "{status}");
    }
    for status in [408, 429] {
        let line = log(LoggingLayer::server(), answer(status)).await;
        assert_eq!(line.level, tracing::Level::WARN, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_refusal_is_a_detail() {
    let refusal = Failure::new(Cause::CircuitOpen);
    let line = log(LoggingLayer::client(), Act::Fail(refusal.into())).await;
    assert_eq!(line.level, tracing::Level::DEBUG);
}

#[tokio::test(start_paused = true)]
async fn levels_can_be_set_and_switched_off() {
    let layer = LoggingLayer::server().success_level(Level::Trace).failure_level(Level::Error);
    assert_eq!(log(layer.clone(), answer(200)).await.level, tracing::Level::TRACE);
    assert_eq!(log(layer, answer(502)).await.level, tracing::Level::ERROR);
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service =
        LoggingLayer::server().success_level(Level::Off).layer(Script::new([answer(200)]));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    assert!(recorder.lines().is_empty());
    assert!(recorder.spans().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_line_is_written_when_the_body_has_ended() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let body = Steps::new([Step::Data("half".into()), Step::Data("whole".into())]);
    let script = Script::new([Act::Answer(Response::new(body))]);
    let response = LoggingLayer::server().layer(script).oneshot(get(URL)).await.unwrap();
    tokio::time::advance(Duration::from_millis(250)).await;
    assert!(recorder.lines().is_empty());
    response.into_body().collect().await.unwrap();
    let line = recorder.line();
    assert_eq!(line.get("http.response.body.size"), Some("9"));
    assert_eq!(line.get("seawall.duration_ms"), Some("250.0"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_a_warning_though_its_head_was_good() {
    let body = Steps::new([Step::Data("half".into()), Step::Error]);
    let line = log(LoggingLayer::server(), Act::Answer(Response::new(body))).await;
    assert_eq!(line.level, tracing::Level::WARN);
    assert_eq!(line.get("http.response.status_code"), Some("200"));
    assert_eq!(line.get("error.type"), Some("http_response_incomplete"));
    assert_eq!(line.get("error.message"), Some("the body failed"));
    assert_eq!(line.get("seawall.outcome"), Some("error"));
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_by_the_caller_is_told_from_a_whole_one() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let body = Steps::new([Step::Data("half".into()), Step::Stall]);
    let script = Script::new([Act::Answer(Response::new(body))]);
    let response = LoggingLayer::server().layer(script).oneshot(get(URL)).await.unwrap();
    let mut body = Box::pin(response.into_body());
    body.frame().await.unwrap().unwrap();
    drop(body);
    let line = recorder.line();
    assert_eq!((line.level, line.get("seawall.outcome")), (tracing::Level::INFO, Some("dropped")));
    assert_eq!(line.message(), "GET /a/b -> 200, dropped in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_before_the_response_gets_a_line() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([Act::<Body>::Hang]);
    let mut call = task::spawn(LoggingLayer::server().layer(script).oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    let line = recorder.line();
    assert_eq!(
        (line.level, line.get("seawall.outcome")),
        (tracing::Level::INFO, Some("cancelled"))
    );
    assert_eq!(line.message(), "GET /a/b -> cancelled in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_gets_a_line() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let mut service = LoggingLayer::server().layer(Script::new([Act::<Body>::Hang]));
    drop(service.call(get(URL)));
    assert_eq!(recorder.line().get("seawall.outcome"), Some("cancelled"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_empty_or_whose_reader_stops_at_its_end_is_complete() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    drop(service.oneshot(get(URL)).await.unwrap());
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::from("x")))
    }));
    let mut body = service.oneshot(get(URL)).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
    drop(body);
    let ends: Vec<_> =
        recorder.lines().iter().map(|it| it.get("seawall.outcome").unwrap().to_owned()).collect();
    assert_eq!(ends, ["complete", "complete"]);
}

#[cfg(feature = "error-response")]
#[tokio::test(start_paused = true)]
async fn an_answer_in_place_of_an_error_is_logged_by_the_error_s_cause() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let inner = seawall::ErrorResponseLayer::new("edge")
        .layer(Script::new([Act::<Body>::Fail(refused.into())]));
    let response = LoggingLayer::server().layer(inner).oneshot(get(URL)).await.unwrap();
    drop(response.into_body().collect().await);
    let line = recorder.line();
    assert_eq!(line.get("error.type"), Some("502"));
    assert_eq!(line.get("seawall.cause"), Some("connection_refused"));
    assert!(line.message().contains("connection refused (seen here, status 502; not processed)"));
}

#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn a_call_that_took_several_attempts_is_one_line_that_says_so() {
    use seawall::RetryLayer;

    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([502, 200].map(answer));
    let service = LoggingLayer::client().layer(RetryLayer::new().layer(script));
    let response = service.oneshot(get(URL)).await.unwrap();
    drop(response.into_body().collect().await);
    let line = recorder.line();
    assert_eq!(line.level, tracing::Level::INFO);
    assert_eq!(line.get("http.request.resend_count"), Some("1"));
    assert!(line.message().ends_with(", 2 attempts"), "{}", line.message());

    let script = Script::new(
        (0..4).map(|_| Act::<Body>::Fail(io::Error::from(io::ErrorKind::TimedOut).into())),
    );
    let service = LoggingLayer::client().layer(RetryLayer::new().layer(script));
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.lines().pop().unwrap();
    assert_eq!(line.get("http.request.resend_count"), Some("3"));
    assert_eq!(line.get("error.type"), Some("http_response_timeout"));
}

/// Other errors of a first attempt come out as they are.
#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn an_error_for_which_the_budget_allows_no_retry_says_so() {
    use seawall::{RetryLayer, retry::Budget};

    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let call = async |layer: RetryLayer, error: BoxError| {
        let script = Script::new([Act::<Body>::Fail(error)]);
        let service = LoggingLayer::client().layer(layer.layer(script));
        service.oneshot(get(URL)).await.unwrap_err();
        recorder.lines().pop().unwrap()
    };
    let no_budget = RetryLayer::new().budget(Budget::new(seawall::Ratio::percent(0), 0));
    let line = call(no_budget, io::Error::from(io::ErrorKind::ConnectionReset).into()).await;
    assert_eq!(line.get("seawall.stop_reason"), Some("budget_exhausted"));
    assert_eq!(line.get("seawall.attempts"), Some("1"));
    assert!(
        line.message().ends_with(" in 0.0ns, 1 attempt (budget exhausted)"),
        "{}",
        line.message()
    );
    let line = call(RetryLayer::new(), Failure::new(Cause::CircuitOpen).into()).await;
    assert_eq!((line.get("seawall.stop_reason"), line.get("seawall.attempts")), (None, None));
}

/// A handler may call others, and then fail for a reason of its own.
#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn what_ended_a_call_is_not_said_of_another_error_that_comes_of_it() {
    use seawall::RetryLayer;

    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let handler = service_fn(async |request: Request<Body>| {
        let reset = || Act::<Body>::Fail(io::Error::from(io::ErrorKind::ConnectionReset).into());
        let call = RetryLayer::new().max_retries(1).layer(Script::new([reset(), reset()]));
        let error = call.oneshot(get(URL)).await.unwrap_err();
        let is_own = request.uri().path() == "/own";
        let around: BoxError = io::Error::other(error).into();
        Err::<Response<Body>, _>(if is_own { "an error of its own".into() } else { around })
    });
    let service = LoggingLayer::server().layer(handler);
    for (path, stop) in [("/own", None), ("/passed-on", Some("max_retries"))] {
        service.clone().oneshot(get(path)).await.unwrap_err();
        assert_eq!(recorder.lines().pop().unwrap().get("seawall.stop_reason"), stop, "{path}");
    }
}

/// It is shown wherever somebody shows a response, or the future of one.
#[tokio::test(start_paused = true)]
async fn what_a_request_held_is_not_shown_by_its_response() {
    let (_recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let body = Steps::new([Step::Data("text".into())]);
    let client = service_fn(move |_: Request<Body>| {
        std::future::ready(Ok::<_, BoxError>(Response::new(body.clone())))
    });
    let mut request = get(URL);
    request.headers_mut().insert("x-secret", "SECRET".parse().unwrap());
    let call = LoggingLayer::client().layer(client).call(request);
    let future = format!("{call:?}");
    for shown in [future, format!("{:?}", call.await.unwrap())] {
        assert!(!shown.contains("SECRET") && !shown.contains("hunter2"), "{shown}");
    }
}

#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn each_decision_of_retry_is_an_event_at_debug_inside_the_request_s_span() {
    use seawall::RetryLayer;

    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([502, 502].map(answer));
    let service = LoggingLayer::client().layer(RetryLayer::new().max_retries(1).layer(script));
    drop(service.oneshot(get(URL)).await.unwrap());
    let events = recorder.events();
    let decisions: Vec<_> = events.iter().filter(|event| event.get("cause").is_some()).collect();
    assert_eq!(decisions.len(), 2);
    assert_eq!((decisions[0].message(), decisions[0].get("attempt")), ("trying again", Some("2")));
    assert_eq!(
        (decisions[1].message(), decisions[1].get("stop_reason")),
        ("giving up", Some("max_retries"))
    );
    for decision in decisions {
        assert_eq!((decision.level, decision.span), (tracing::Level::DEBUG, Some("request")));
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_one_span_a_request() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(Script::new([answer(200)]));
    drop(service.oneshot(get(URL)).await.unwrap());
    let [span] = recorder.spans().try_into().unwrap();
    assert_eq!((span.level, span.span), (tracing::Level::INFO, Some("request")));
    assert_eq!(span.get("url.path"), Some("/a/b"));
    assert_eq!(recorder.line().span, Some("request"));
}

#[tokio::test(start_paused = true)]
async fn with_the_span_filtered_out_the_line_still_says_all() {
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    let service = LoggingLayer::client().layer(Script::new([answer(502)]));
    drop(service.oneshot(get(URL)).await.unwrap());
    let line = recorder.line();
    assert_eq!((line.span, recorder.spans().len()), (None, 0));
    assert_eq!(line.get("url.full"), Some(URL_REDACTED));
}

#[tokio::test(start_paused = true)]
async fn no_secret_of_the_url_is_written() {
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
async fn a_text_from_elsewhere_cannot_begin_a_line_or_fill_the_log() {
    let text = format!("a\r\nb\u{1b}[31m\u{202e}{}", "x".repeat(10_000));
    let line = log(LoggingLayer::client(), Act::Fail(text.into())).await;
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
async fn an_error_of_an_unknown_type_is_logged_by_its_text() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client()
        .layer(service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(Opaque)));
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    assert_eq!(line.get("error.message"), Some("opaque"));
    assert_eq!(line.get("error.type"), Some("unknown"));
}

#[tokio::test(start_paused = true)]
async fn with_nobody_listening_calls_pass_as_they_are() {
    let service = LoggingLayer::client().layer(Script::new([answer(200), Act::Fail("x".into())]));
    let response: Response<ResponseBody<Steps>> = service.clone().oneshot(get(URL)).await.unwrap();
    drop(response);
    let error: BoxError = service.oneshot(get(URL)).await.unwrap_err();
    assert_eq!(error.to_string(), "x");
}
