//! The log line is emitted when the call ends: at the end of the response body, or when the caller
//! drops it.

use super::*;

#[tokio::test(start_paused = true)]
async fn log_emits_line_at_body_end() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let body = ScriptedBody::new([Step::Data("half".into()), Step::Data("whole".into())]);
    let script = Script::new([Action::Respond(Response::new(body))]);
    let response = LoggingLayer::server().layer(script).oneshot(get(URL)).await.unwrap();
    tokio::time::advance(Duration::from_millis(250)).await;
    assert!(recorder.lines().is_empty());
    response.into_body().collect().await.unwrap();
    let line = recorder.line();
    assert_eq!(line.get("http.response.body.size"), Some("9"));
    assert_eq!(line.get("seawall.duration_ms"), Some("250.0"));
}

#[tokio::test(start_paused = true)]
async fn log_warns_when_body_is_incomplete() {
    let body = ScriptedBody::new([Step::Data("half".into()), Step::Error]);
    let line = log(LoggingLayer::server(), Action::Respond(Response::new(body))).await;
    assert_eq!(line.level, tracing::Level::WARN);
    assert_eq!(line.get("http.response.status_code"), Some("200"));
    assert_eq!(line.get("error.type"), Some("http_response_incomplete"));
    assert_eq!(line.get("error.message"), Some("the body failed"));
    assert_eq!(line.get("seawall.outcome"), Some("error"));
}

#[tokio::test(start_paused = true)]
async fn log_reports_dropped_body() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let body = ScriptedBody::new([Step::Data("half".into()), Step::Stall]);
    let script = Script::new([Action::Respond(Response::new(body))]);
    let response = LoggingLayer::server().layer(script).oneshot(get(URL)).await.unwrap();
    let mut body = Box::pin(response.into_body());
    body.frame().await.unwrap().unwrap();
    drop(body);
    let line = recorder.line();
    assert_eq!((line.level, line.get("seawall.outcome")), (tracing::Level::INFO, Some("dropped")));
    assert_eq!(line.message(), "GET /a/b -> 200, dropped in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn log_reports_call_cancelled_before_response() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([Action::<Body>::Stall]);
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
async fn log_reports_unpolled_call_as_cancelled() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let mut service = LoggingLayer::server().layer(Script::new([Action::<Body>::Stall]));
    drop(service.call(get(URL)));
    assert_eq!(recorder.line().get("seawall.outcome"), Some("cancelled"));
}

#[tokio::test(start_paused = true)]
async fn log_reports_empty_or_fully_read_body_as_complete() {
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
    let outcomes: Vec<_> =
        recorder.lines().iter().map(|it| it.get("seawall.outcome").unwrap().to_owned()).collect();
    assert_eq!(outcomes, ["complete", "complete"]);
}
