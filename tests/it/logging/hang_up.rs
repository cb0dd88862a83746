//! A call that its caller gives up while it is retried.

use http::StatusCode;
use seawall::{
    DeadlineLayer, RetryLayer,
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

/// Those written of calls that never ended, in order.
fn attempts(recorder: &Recorder) -> Vec<Option<String>> {
    let lines = recorder.lines().into_iter();
    let cancelled = lines.filter(|line| line.get("seawall.end") == Some("cancelled"));
    cancelled.map(|line| line.get("seawall.attempts").map(str::to_owned)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_while_the_third_attempt_waits_is_told_of_all_three() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry())
        .service(Script::new([failed(), failed(), Act::Hang]));
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    let line = recorder.line();
    assert_eq!(line.get("seawall.end"), Some("cancelled"));
    assert_eq!(line.get("seawall.attempts"), Some("3"));
    assert_eq!(line.message(), "GET http://upstream:8080/a/b -> cancelled in 0.0ns, 3 attempts");
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_up_during_a_wait_is_told_of_those_that_were_sent() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry().backoff(Backoff::constant(Duration::from_secs(1))))
        .service(Script::new([failed(), failed()]));
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_millis(1_500)).await;
    assert_pending!(call.poll());
    drop(call);
    assert_eq!(attempts(&recorder), [Some("2".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_up_during_the_first_attempt_is_told_of_none() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let retried = retry().layer(Script::new([failed(), Act::Hang]));
    // One that nobody logs, and that was dropped before, is no business of the next.
    let mut unlogged = task::spawn(retried.oneshot(get(URL)));
    assert_pending!(unlogged.poll());
    drop(unlogged);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry())
        .service(Script::new([Act::<Steps>::Hang]));
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    assert_eq!(attempts(&recorder), [None]);
}

#[tokio::test(start_paused = true)]
async fn a_log_within_the_retrying_and_a_retry_within_the_log_do_not_count_for_each_other() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry())
        .layer(LoggingLayer::client())
        .layer(retry().status_forcelist([502]))
        .service(Script::new([failed(), failed(), answer(502), Act::Hang]));
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    // The inner line, of the third attempt, is written first.
    assert_eq!(attempts(&recorder), [Some("2".to_owned()), Some("3".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_log_of_single_attempts_takes_nothing_from_that_of_all() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(retry())
        .layer(LoggingLayer::client())
        .service(Script::new([failed(), failed(), Act::Hang]));
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    drop(call);
    assert_eq!(attempts(&recorder), [None, Some("3".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_well_leaves_nothing_behind_for_the_next() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let script = Script::new([failed(), answer(200), Act::Hang]);
    let service =
        ServiceBuilder::new().layer(LoggingLayer::client()).layer(retry()).service(script);
    let answered = service.clone().oneshot(get(URL)).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    let mut call = task::spawn(service.oneshot(get(URL)));
    assert_pending!(call.poll());
    drop((call, answered));
    assert_eq!(attempts(&recorder), [None]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_during_the_second_attempt_says_so_too() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(DeadlineLayer::new(Duration::from_secs(1)))
        .layer(retry())
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
        let retried = retry().layer(Script::new([failed(), failed(), Act::Hang]));
        let limit = Duration::from_secs(1);
        tokio::time::timeout(limit, retried.oneshot(get(URL))).await?
    });
    LoggingLayer::server().layer(handler).oneshot(get(URL)).await.unwrap_err();
    assert_eq!(recorder.line().get("seawall.attempts"), Some("3"));
}

/// Of one that nobody logs, and that was dropped before.
#[tokio::test(start_paused = true)]
async fn a_call_that_was_dropped_before_is_not_counted_for_one_that_comes_too_late() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let retried = retry().layer(Script::new([failed(), failed(), Act::Hang]));
    let mut unlogged = task::spawn(retried.oneshot(get(URL)));
    assert_pending!(unlogged.poll());
    drop(unlogged);
    let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
    let script = Script::new([Act::<Steps>::Fail(late.into())]);
    LoggingLayer::client().layer(script).oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    assert_eq!(line.get("error.type"), Some("http_response_timeout"));
    assert_eq!(line.get("seawall.attempts"), None);
}
