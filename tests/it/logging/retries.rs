//! Retried calls: attempts, stop reason, and the events of `RetryLayer`.

use seawall::retry::{Budget, RetryLayer};

use super::*;

#[tokio::test(start_paused = true)]
async fn retried_call_emits_one_line_with_attempt_count() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([502, 200].map(answer));
    let service = LoggingLayer::client().layer(RetryLayer::new().layer(script));
    let response = service.oneshot(get(URL)).await.unwrap();
    drop(response.into_body().collect().await);
    let line = recorder.line();
    assert_eq!(line.level, tracing::Level::INFO);
    assert_eq!(line.get("http.request.resend_count"), Some("1"));
    assert!(line.message().contains(", 2 attempts, after bad gateway"), "{}", line.message());
    assert_eq!(line.get("seawall.retried_cause"), Some("bad_gateway"));

    let script = Script::new(
        (0..4).map(|_| Action::<Body>::Fail(io::Error::from(io::ErrorKind::TimedOut).into())),
    );
    let service = LoggingLayer::client().layer(RetryLayer::new().layer(script));
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.lines().pop().unwrap();
    assert_eq!(line.get("http.request.resend_count"), Some("3"));
    assert_eq!(line.get("error.type"), Some("http_response_timeout"));
}

/// Any other error of a first attempt is returned unchanged, without a stop reason.
#[tokio::test(start_paused = true)]
async fn log_names_exhausted_budget_as_stop_reason() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let call = async |layer: RetryLayer, error: BoxError| {
        let script = Script::new([Action::<Body>::Fail(error)]);
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

/// A handler may make a retried call and then fail for an unrelated reason.
#[tokio::test(start_paused = true)]
async fn log_omits_stop_reason_for_different_error() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let handler = service_fn(async |request: Request<Body>| {
        let reset = || Action::<Body>::Fail(io::Error::from(io::ErrorKind::ConnectionReset).into());
        let call = RetryLayer::new().max_retries(1).layer(Script::new([reset(), reset()]));
        let error = call.oneshot(get(URL)).await.unwrap_err();
        let is_unrelated = request.uri().path() == "/unrelated";
        let wrapped: BoxError = io::Error::other(error).into();
        Err::<Response<Body>, _>(if is_unrelated { "an unrelated error".into() } else { wrapped })
    });
    let service = LoggingLayer::server().layer(handler);
    for (path, stop) in [("/unrelated", None), ("/wrapped", Some("max_retries"))] {
        service.clone().oneshot(get(path)).await.unwrap_err();
        assert_eq!(recorder.lines().pop().unwrap().get("seawall.stop_reason"), stop, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_emits_debug_events_in_request_span() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([502, 502].map(answer));
    let service = LoggingLayer::client().layer(RetryLayer::new().max_retries(1).layer(script));
    drop(service.oneshot(get(URL)).await.unwrap());
    let events = recorder.events();
    let decisions: Vec<_> = events.iter().filter(|event| event.get("cause").is_some()).collect();
    assert_eq!(decisions.len(), 2);
    assert_eq!((decisions[0].message(), decisions[0].get("attempt")), ("retrying", Some("2")));
    assert_eq!(
        (decisions[1].message(), decisions[1].get("stop_reason")),
        ("giving up", Some("max_retries"))
    );
    for decision in decisions {
        assert_eq!((decision.level, decision.span), (tracing::Level::DEBUG, Some("request")));
    }
}
