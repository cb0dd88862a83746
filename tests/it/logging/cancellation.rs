//! Calls that are cancelled during retries.

use seawall::retry::{Backoff, Budget, RetryLayer};
use tower::ServiceBuilder;

use super::*;

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none())
}

fn failed() -> Action<ScriptedBody> {
    answer(503)
}

/// The log line has no attempt count. `RetryLayer` emits it in an event of its own.
#[tokio::test(start_paused = true)]
async fn log_reports_call_cancelled_during_third_attempt() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry())
        .service(Script::new([failed(), failed(), Action::Stall]));
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    let line = recorder.line();
    assert_eq!(line.get("seawall.outcome"), Some("cancelled"));
    assert_eq!(line.message(), "GET http://upstream:8080/a/b -> cancelled in 0.0ns");
    let events = recorder.events();
    let cancelled = events.iter().find(|it| it.message() == "cancelled while retrying");
    assert_eq!(cancelled.unwrap().get("attempts"), Some("3"));
}

#[tokio::test(start_paused = true)]
async fn log_counts_attempts_when_deadline_passes() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry().total_timeout(Duration::from_secs(1)))
        .service(Script::new([failed(), Action::Stall]));
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    assert_eq!(line.get("error.type"), Some("http_response_timeout"));
    assert_eq!(line.get("seawall.attempts"), Some("2"));
}

/// The handler returns an error that is unrelated to the call it dropped.
#[tokio::test(start_paused = true)]
async fn log_omits_attempts_of_dropped_call_for_other_error() {
    // An elapsed timeout layer drops its inner call. A timeout of the operating system does not.
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::TimedOut] {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let handler = service_fn(async |_: Request<Body>| {
            let retried = retry().layer(Script::new([failed(), failed(), Action::Stall]));
            let mut call = task::spawn(retried.oneshot(get(URL)));
            assert_pending!(call.poll());
            drop(call);
            Err::<Response<Body>, BoxError>(io::Error::from(kind).into())
        });
        LoggingLayer::server().layer(handler).oneshot(get(URL)).await.unwrap_err();
        assert_eq!(recorder.line().get("seawall.attempts"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn log_counts_attempts_when_inner_call_times_out() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let handler = service_fn(async |_: Request<Body>| {
        let retry = retry().total_timeout(Duration::from_secs(1));
        retry.layer(Script::new([failed(), failed(), Action::Stall])).oneshot(get(URL)).await
    });
    LoggingLayer::server().layer(handler).oneshot(get(URL)).await.unwrap_err();
    assert_eq!(recorder.line().get("seawall.attempts"), Some("3"));
}
