//! gRPC calls, whose HTTP status is 200.

use http::HeaderMap;
use seawall::classify::GrpcClassifier;

use super::*;

fn status(code: &str, message: Option<&str>) -> HeaderMap {
    let fields = [("grpc-status", Some(code)), ("grpc-message", message)];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn grpc(body: ScriptedBody) -> Response<ScriptedBody> {
    Response::builder().header("content-type", "application/grpc+proto").body(body).unwrap()
}

/// Returns responses with a status in the head, in trailers, and in trailers after a message.
fn responses(code: &str, message: Option<&str>) -> Vec<Response<ScriptedBody>> {
    let mut head = grpc(ScriptedBody::default());
    head.headers_mut().extend(status(code, message));
    let trailers = || Step::Trailers(status(code, message));
    let after_message = [Step::Data("message".into()), trailers()];
    vec![head, grpc(ScriptedBody::new([trailers()])), grpc(ScriptedBody::new(after_message))]
}

#[tokio::test(start_paused = true)]
async fn log_warns_with_status_of_failed_grpc_call() {
    for layer in [LoggingLayer::server(), LoggingLayer::client()] {
        for response in responses("14", Some("down https://me:SECRET@h/")) {
            let line = log(layer.clone(), Action::Respond(response)).await;
            assert_eq!(line.level, tracing::Level::WARN);
            assert_eq!(line.get("rpc.response.status_code"), Some("UNAVAILABLE"));
            let message = Some("down https://REDACTED@h/");
            assert_eq!(line.get("seawall.grpc.message"), message);
            assert_eq!(line.get("seawall.cause"), Some("destination_unavailable"));
            assert_eq!(line.get("error.type"), Some("destination_unavailable"));
            let result = "-> grpc UNAVAILABLE, destination unavailable (status 200;";
            assert!(line.message().contains(result), "{}", line.message());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn log_does_not_warn_of_grpc_client_error() {
    for response in responses("5", None) {
        let line = log(LoggingLayer::server(), Action::Respond(response)).await;
        assert_eq!(line.level, tracing::Level::INFO);
        assert_eq!(line.get("rpc.response.status_code"), Some("NOT_FOUND"));
        assert!(line.message().contains("-> grpc NOT_FOUND, 200 in"), "{}", line.message());
    }
}

#[tokio::test(start_paused = true)]
async fn log_has_status_of_successful_grpc_call() {
    for response in responses("0", None) {
        let line = log(LoggingLayer::server(), Action::Respond(response)).await;
        assert_eq!(line.get("rpc.response.status_code"), Some("OK"));
        assert_eq!((line.level, line.get("seawall.cause")), (tracing::Level::INFO, None));
        assert!(line.message().contains("-> 200 in"), "{}", line.message());
    }
}

#[tokio::test(start_paused = true)]
async fn log_ignores_grpc_status_of_other_content() {
    let mut response = Response::new(ScriptedBody::new([Step::Trailers(status("14", None))]));
    response.headers_mut().extend(status("14", None));
    let line = log(LoggingLayer::server(), Action::Respond(response)).await;
    assert_eq!((line.level, line.get("rpc.response.status_code")), (tracing::Level::INFO, None));
}

#[tokio::test(start_paused = true)]
async fn log_escapes_hostile_grpc_status() {
    for code in ["17", "-1", "x".repeat(10_000).as_str()] {
        for response in responses(code, Some("a\tb")) {
            let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
            let layer = LoggingLayer::client().classifier(GrpcClassifier::new());
            let service = layer.layer(Script::new([Action::Respond(response)]));
            drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
            let line = recorder.line();
            assert_eq!(line.get("rpc.response.status_code"), Some("UNKNOWN"));
            assert_eq!(line.get("seawall.grpc.message"), Some("a\\u{9}b"));
        }
    }
}
