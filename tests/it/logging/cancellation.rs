//! A call that its caller gives up while it is retried.

use seawall::{
    RetryLayer,
    retry::{Backoff, Budget},
};
use tower::ServiceBuilder;

use super::*;

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none())
}

fn failed() -> Act<Steps> {
    answer(503)
}

/// Its attempts are in an event of the retry.
#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_while_the_third_attempt_waits_gets_a_line() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry())
        .service(Script::new([failed(), failed(), Act::Hang]));
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
async fn a_deadline_that_passes_during_the_second_attempt_says_so_too() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry().total_timeout(Duration::from_secs(1)))
        .service(Script::new([failed(), Act::Hang]));
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    assert_eq!(line.get("error.type"), Some("http_response_timeout"));
    assert_eq!(line.get("seawall.attempts"), Some("2"));
}

/// The handler's own failure, and not an end of the call that it dropped.
#[tokio::test(start_paused = true)]
async fn a_call_that_a_handler_drops_is_not_counted_for_an_error_of_another() {
    // A limit of time that has passed drops what it is around; an operating system's timeout does not.
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::TimedOut] {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let handler = service_fn(async |_: Request<Body>| {
            let retried = retry().layer(Script::new([failed(), failed(), Act::Hang]));
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
async fn a_call_that_a_handler_gives_a_limit_of_time_is_counted_for_that() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let handler = service_fn(async |_: Request<Body>| {
        let retry = retry().total_timeout(Duration::from_secs(1));
        retry.layer(Script::new([failed(), failed(), Act::Hang])).oneshot(get(URL)).await
    });
    LoggingLayer::server().layer(handler).oneshot(get(URL)).await.unwrap_err();
    assert_eq!(recorder.line().get("seawall.attempts"), Some("3"));
}
