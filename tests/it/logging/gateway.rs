//! The access log of a gateway: the received target, the upstream, and one event per failure.

use http::{HeaderValue, header::HOST};
use seawall::{
    ReceivedTarget, RequestAttributes, gateway::UpstreamUri, standard::StandardLayer,
    test_util::Step,
};
use tower::ServiceBuilder;
use tracing::Level as TracingLevel;

use super::*;
use crate::support::upstream;

/// Changes the target of a request as the documented gateway does.
fn to_upstream<B>(mut request: Request<B>) -> Request<B> {
    ReceivedTarget::insert(&mut request);
    *request.uri_mut() = "http://billing:8080/invoice?token=SECRET".parse().unwrap();
    request.headers_mut().remove(HOST);
    request
}

fn received(path: &str) -> Request<Body> {
    let mut request = get(path);
    request.headers_mut().insert(HOST, HeaderValue::from_static("shop.example"));
    request
}

fn warnings(recorder: &Recorder) -> Vec<Line> {
    recorder.lines().into_iter().filter(|line| line.level == TracingLevel::WARN).collect()
}

#[tokio::test(start_paused = true)]
async fn access_log_has_received_target_and_upstream() {
    for (step, level) in
        [(Step::refuse(), TracingLevel::WARN), (Step::ok("hi"), TracingLevel::INFO)]
    {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let gateway = ServiceBuilder::new()
            .map_request(to_upstream)
            .layer(StandardLayer::gateway("edge").without_retry())
            .service(upstream(step));
        let response = gateway.oneshot(received("/billing/invoice?code=SECRET")).await.unwrap();
        drop(response.into_body().collect().await);
        let line = recorder.line();
        assert_eq!(line.level, level);
        assert_eq!(line.get("url.path"), Some("/billing/invoice"));
        assert_eq!(line.get("url.query"), Some("code=REDACTED"));
        let upstream = "http://billing:8080/invoice?token=REDACTED";
        assert_eq!(line.get("seawall.upstream.url"), Some(upstream));
        assert!(line.message().starts_with("GET /billing/invoice -> "), "{}", line.message());
        if level == TracingLevel::WARN {
            assert_eq!(line.get("server.address"), Some("shop.example"));
            assert_eq!(line.get("error.message"), Some("connection refused"));
            assert!(line.message().ends_with(", upstream http://billing:8080"), "{line:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn access_log_has_received_target_when_uri_is_rewritten() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let billing: UpstreamUri = "http://billing:8080/api".parse().unwrap();
    let gateway = StandardLayer::gateway("edge").layer(upstream(Step::ok("")));
    let request = billing.rewrite(received("/invoice")).unwrap();
    drop(gateway.oneshot(request).await.unwrap());
    let line = recorder.line();
    assert_eq!(line.get("url.path"), Some("/invoice"));
    assert_eq!(line.get("seawall.upstream.url"), Some("http://billing:8080/api/invoice"));
}

/// The upstream's URL may also be set inside the access log.
#[tokio::test(start_paused = true)]
async fn access_log_has_upstream_when_url_is_set_inside() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let server = ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .layer(seawall::error_response::ErrorResponseLayer::new("edge"))
        .map_request(to_upstream)
        .layer(StandardLayer::new("billing"))
        .service(upstream(Step::refuse()));
    drop(server.oneshot(received("/billing/invoice")).await.unwrap());
    let line = recorder.line();
    assert_eq!((line.get("url.path"), line.level), (Some("/billing/invoice"), TracingLevel::WARN));
    assert!(line.get("seawall.upstream.url").unwrap().starts_with("http://billing:8080/invoice"));
    assert_eq!(line.get("seawall.attempts"), Some("4"));
    assert_eq!(line.get("seawall.stop_reason"), Some("budget_exhausted"));
}

#[tokio::test(start_paused = true)]
async fn failed_request_emits_one_warning_in_gateway() {
    let truncated = || Step::ok("hello").truncated();
    for (step, cause) in [
        (Step::refuse(), "connection_refused"),
        (Step::status(502), "bad_gateway"),
        (truncated(), "http_response_incomplete"),
    ] {
        let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
        let gateway = StandardLayer::gateway("edge").without_retry().layer(upstream(step));
        let response = gateway.oneshot(get("http://billing/")).await.unwrap();
        let _ = response.into_body().collect().await;
        let warnings = warnings(&recorder);
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        assert_eq!(warnings[0].get("seawall.cause"), Some(cause));
        assert_eq!(warnings[0].get("url.path"), Some("/"));
        // The client's line remains for debugging.
        let lines = recorder.lines();
        let client = lines.iter().find(|line| line.get("url.full").is_some()).unwrap();
        assert_eq!((client.level, client.get("seawall.cause")), (TracingLevel::DEBUG, Some(cause)));
    }
}

#[tokio::test(start_paused = true)]
async fn client_log_warns_when_access_log_is_disabled() {
    let silent = LoggingLayer::server().failure_level(Level::Off);
    let skipping = LoggingLayer::server().skip(|_| true);
    let gateway = || StandardLayer::gateway("edge").without_retry();
    for layer in [
        gateway().without_access_log(),
        gateway().access_log(silent),
        gateway().access_log(skipping),
    ] {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let gateway = layer.layer(upstream(Step::refuse()));
        drop(gateway.oneshot(get("http://billing/")).await.unwrap());
        let warnings = warnings(&recorder);
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        assert_eq!(warnings[0].get("url.full"), Some("http://billing/"));
    }
}

/// A layer between the logs may replace the failure by a response from a cache.
#[tokio::test(start_paused = true)]
async fn access_log_warns_of_upstream_failure_when_fallback_succeeds() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let server = ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .map_result(|result: Result<Response<_>, BoxError>| {
            let response = result.map(|response| response.map(|_| Body::default()));
            Ok::<_, BoxError>(response.unwrap_or_default())
        })
        .layer(StandardLayer::new("billing").without_retry())
        .service(upstream(Step::refuse()));
    let response = server.oneshot(get("http://billing/a")).await.unwrap();
    assert_eq!(response.status(), 200);
    let line = recorder.line();
    assert_eq!(
        (line.level, line.get("seawall.cause")),
        (TracingLevel::WARN, Some("connection_refused"))
    );
    let failure = "upstream http://billing: connection refused (detected locally; not processed)";
    assert_eq!(line.message(), format!("GET /a -> 200 in 0.0ns, {failure}"));
}

/// The call inside may outlive the request that caused it.
#[tokio::test(start_paused = true)]
async fn client_log_warns_when_access_log_has_ended() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let client = StandardLayer::new("billing").without_retry().layer(upstream(Step::refuse()));
    let kept = std::sync::Mutex::new(None);
    let server = LoggingLayer::server().layer(service_fn(|request: Request<Body>| {
        *kept.lock().unwrap() = Some(request);
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::default())))
    }));
    server.oneshot(get("http://billing/")).await.unwrap();
    let request = kept.lock().unwrap().take().unwrap();
    client.oneshot(request).await.unwrap_err();
    let levels: Vec<_> = recorder.lines().iter().map(|line| line.level).collect();
    assert_eq!(levels, [TracingLevel::INFO, TracingLevel::WARN]);
}

#[tokio::test(start_paused = true)]
async fn nested_access_logs_emit_one_warning() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let gateway = ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .map_request(to_upstream)
        .layer(StandardLayer::gateway("edge").without_retry())
        .service(upstream(Step::refuse()));
    drop(gateway.oneshot(received("/outer")).await.unwrap());
    let line = recorder.line();
    assert_eq!(line.get("url.path"), Some("/outer"));
    assert!(line.get("seawall.upstream.url").unwrap().starts_with("http://billing:8080/"));
    assert_eq!(line.get("error.message"), Some("connection refused"));
}

/// A balancer may log the failures of single servers at a lower level.
#[tokio::test(start_paused = true)]
async fn client_log_keeps_level_below_warn() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let client = LoggingLayer::client().failure_level(Level::Info);
    let server = LoggingLayer::server().layer(service_fn(async |request: Request<Body>| {
        let call = client.layer(upstream(Step::refuse())).oneshot(request).await;
        assert!(call.is_err());
        Ok::<_, Infallible>(Response::new(Body::default()))
    }));
    drop(server.oneshot(get("http://billing/")).await.unwrap());
    let [client, server] = recorder.lines().try_into().unwrap();
    assert_eq!((client.level, server.level), (TracingLevel::INFO, TracingLevel::INFO));
    assert_eq!(client.get("seawall.cause"), Some("connection_refused"));
    assert_eq!(server.get("seawall.cause"), None);
}

#[tokio::test(start_paused = true)]
async fn access_log_has_names_that_inner_services_set() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let server =
        ServiceBuilder::new().layer(LoggingLayer::server()).service_fn(|request: Request<Body>| {
            let attributes: &RequestAttributes = request.extensions().get().unwrap();
            attributes.set_client("ann".into());
            attributes.set_upstream("first".into(), None);
            attributes.set_upstream("billing 2".into(), Some("KEY_TWO".into()));
            async { Ok::<_, BoxError>(Response::new(Body::default())) }
        });
    let mut request = received("/billing");
    let attributes = RequestAttributes::default();
    attributes.set_service("billing".into());
    request.extensions_mut().insert(attributes);
    drop(server.oneshot(request).await.unwrap().into_body().collect().await);
    let line = recorder.line();
    for (field, expected) in [
        ("seawall.client", "ann"),
        ("seawall.service", "billing"),
        ("seawall.upstream.name", "billing 2"),
        ("seawall.upstream.key", "KEY_TWO"),
    ] {
        assert_eq!(line.get(field), Some(expected), "{field}");
    }
}
