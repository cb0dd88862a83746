//! Log levels by outcome.

use super::*;

#[tokio::test(start_paused = true)]
async fn server_logs_success_at_info() {
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
async fn client_logs_success_at_debug() {
    let line = log(LoggingLayer::client(), answer(200)).await;
    assert_eq!(line.level, tracing::Level::DEBUG);
    assert_eq!(line.get("url.full"), Some(URL_REDACTED));
    assert_eq!(line.message(), "GET http://upstream:8080/a/b -> 200 in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn log_warns_with_cause_when_response_fails() {
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
async fn log_warns_with_innermost_text_when_call_fails() {
    let error = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
    let line = log(LoggingLayer::client(), Action::Fail(error.into())).await;
    assert_eq!(line.level, tracing::Level::WARN);
    assert_eq!(line.get("error.type"), Some("connection_refused"));
    assert_eq!(line.get("error.message"), Some("connection refused"));
    assert_eq!(line.get("seawall.outcome"), Some("error"));
    assert_eq!(line.get("seawall.reporter"), Some("local"));
    assert_eq!(line.get("http.response.status_code"), None);
}

#[tokio::test(start_paused = true)]
async fn log_does_not_warn_on_client_error_status() {
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
async fn log_reports_local_rejection_at_debug() {
    let rejection = Failure::new(Cause::CircuitOpen);
    let line = log(LoggingLayer::client(), Action::Fail(rejection.into())).await;
    assert_eq!(line.level, tracing::Level::DEBUG);
}

#[tokio::test(start_paused = true)]
async fn setters_change_and_disable_levels() {
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
