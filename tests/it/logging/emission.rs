//! The calls that `LoggingLayer` logs, and their levels.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Request, Response};
use seawall::{Cause, Failure, Ratio, Reporter};
use tower_test::mock;

use super::*;

/// Makes a call per status and returns the statuses in the emitted lines.
async fn logged_statuses(
    layer: LoggingLayer,
    statuses: impl IntoIterator<Item = u16>,
) -> Vec<String> {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    for status in statuses {
        let service = layer.layer(Script::new([answer(status)]));
        drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    }
    let lines = recorder.lines().into_iter();
    lines.map(|line| line.get("http.response.status_code").unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn only_failures_skips_successes_client_errors_and_cancellations() {
    for layer in [LoggingLayer::server(), LoggingLayer::client()] {
        let layer = layer.only_failures();
        assert_eq!(
            logged_statuses(layer.clone(), [200, 301, 404, 503, 200, 429]).await,
            ["503", "429"]
        );
        let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
        let mut call =
            task::spawn(layer.layer(Script::new([Action::<Body>::Stall])).oneshot(get(URL)));
        assert_pending!(call.poll());
        drop(call);
        assert!(recorder.lines().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn sample_keeps_ratio_of_successes_and_all_failures() {
    let statuses = || (0..1_000).map(|i| if i % 10 == 0 { 502 } else { 200 });
    let layer = |seed| LoggingLayer::server().sample(Ratio::percent(10)).sample_seed(seed);
    let sampled = async |seed| logged_statuses(layer(seed), statuses()).await;
    let first = sampled(7).await;
    let failures = first.iter().filter(|status| *status == "502").count();
    let successes = first.len() - failures;
    assert_eq!(failures, 100);
    assert!((60..=120).contains(&successes), "{successes} of 900");
    assert_eq!(first, sampled(7).await);
    assert_ne!(first, sampled(8).await);
    assert_eq!(logged_statuses(layer(7).sample(Ratio::percent(0)), [200, 502]).await, ["502"]);
}

#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn sample_applies_to_successes_after_retries() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    for (percent, lines) in [(0, 0), (100, 1)] {
        let retried = seawall::retry::RetryLayer::new().layer(Script::new([502, 200].map(answer)));
        let service = LoggingLayer::client().sample(Ratio::percent(percent)).layer(retried);
        drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
        assert_eq!(recorder.lines().len(), lines, "{percent} %");
    }
}

/// Returns a layer whose levels are all off.
fn disabled() -> LoggingLayer {
    let layer = LoggingLayer::client().only_failures().span_level(Level::Off).log_curl(false);
    layer.failure_level(Level::Off).rejected_level(Level::Off)
}

/// Makes a call and returns the numbers of lines and spans at INFO.
async fn lines_and_spans(layer: LoggingLayer, act: Action<ScriptedBody>) -> (usize, usize) {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    if let Ok(response) = layer.layer(Script::new([act])).oneshot(get(URL)).await {
        let _ = response.into_body().collect().await;
    }
    (recorder.lines().len(), recorder.spans().len())
}

#[tokio::test(start_paused = true)]
async fn level_setter_enables_its_line_alone() {
    let fail = |cause| Action::Fail(Failure::new(cause).into());
    assert_eq!(lines_and_spans(disabled(), answer(200)).await, (0, 0));
    assert_eq!(lines_and_spans(disabled().span_level(Level::Info), answer(200)).await, (0, 1));
    for (layer, act) in [
        (disabled().success_level(Level::Info), answer(200)),
        (disabled().client_error_level(Level::Info), answer(404)),
        (disabled().failure_level(Level::Info), answer(502)),
        (disabled().rejected_level(Level::Info), fail(Cause::CircuitOpen)),
        (disabled().cancelled_level(Level::Info), fail(Cause::Cancelled)),
    ] {
        let debug = format!("{layer:?}");
        assert_eq!(lines_and_spans(layer, act).await, (1, 0), "{debug}");
    }
    #[cfg(feature = "retry")]
    {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let retried = seawall::retry::RetryLayer::new().layer(Script::new([502, 200].map(answer)));
        let service = disabled().retried_level(Level::Info).layer(retried);
        drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
        assert_eq!(recorder.lines().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn skip_suppresses_events_and_spans() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let layer = LoggingLayer::server().skip(|head| head.uri().path() == "/healthz");
    let service = layer.layer(Script::new([answer(503), answer(503)]));
    drop(service.clone().oneshot(get("/healthz")).await.unwrap().into_body().collect().await);
    assert!(recorder.events().is_empty() && recorder.spans().is_empty());
    drop(service.oneshot(get("/other")).await.unwrap().into_body().collect().await);
    assert_eq!(recorder.line().get("url.path"), Some("/other"));
}

#[tokio::test(start_paused = true)]
async fn log_omits_unready_client_and_panicking_skip() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let (mut service, mut handle) =
        mock::spawn_layer::<Request<Body>, Response<Body>, _>(LoggingLayer::client());
    handle.send_error("not ready");
    assert!(tokio_test::assert_ready!(service.poll_ready()).is_err());
    let layer = LoggingLayer::server().skip(|_| panic!("the closure panics"));
    let mut service = layer.layer(Script::new([answer(200)]));
    let call = AssertUnwindSafe(|| drop(service.call(get(URL))));
    assert!(catch_unwind(call).is_err());
    assert!(recorder.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn log_warns_when_failed_body_is_unread() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let mut response = Response::new(ScriptedBody::new([Step::Data("page".into())]));
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    let service = LoggingLayer::client().layer(Script::new([Action::Respond(response)]));
    drop(service.oneshot(get(URL)).await.unwrap());
    let line = recorder.line();
    assert_eq!((line.level, line.get("seawall.outcome")), (tracing::Level::WARN, Some("dropped")));
    assert_eq!(line.get("error.type"), Some("502"));
}

#[tokio::test(start_paused = true)]
async fn cancellation_and_rejection_have_own_levels() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let layer = LoggingLayer::server().cancelled_level(Level::Trace);
    drop(layer.layer(Script::new([Action::<Body>::Stall])).oneshot(get(URL)));
    let mut service = layer.layer(Script::new([Action::<Body>::Stall]));
    drop(service.call(get(URL)));
    assert_eq!(recorder.line().level, tracing::Level::TRACE);
    let rejected = Failure::new(Cause::ConnectionLimitReached).with_reporter(Reporter::Local);
    let layer = LoggingLayer::client().rejected_level(Level::Error);
    assert_eq!(log(layer, Action::Fail(rejected.into())).await.level, tracing::Level::ERROR);
    let by_upstream = rejected.with_reporter(Reporter::Unknown);
    assert_eq!(
        log(LoggingLayer::client(), Action::Fail(by_upstream.into())).await.level,
        tracing::Level::WARN
    );
    assert_eq!(
        log(LoggingLayer::client(), Action::Fail(rejected.into())).await.level,
        tracing::Level::DEBUG
    );
}
