//! Fields that setters of `LoggingLayer` add, and those of unusual calls.

use std::{error::Error, fmt, io};

use http::{HeaderName, HeaderValue, Method, Request, Version, header};
use seawall::{
    Cause, Failure,
    classify::{Classify, HttpClassifier, classify_fn},
};

use super::*;
use crate::log_capture::Line;

async fn call(layer: LoggingLayer, request: Request<Body>, act: Action<ScriptedBody>) -> Line {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    if let Ok(response) = layer.layer(Script::new([act])).oneshot(request).await {
        let _ = response.into_body().collect().await;
    }
    recorder.line()
}

#[derive(Debug)]
struct CustomError(io::Error);

impl fmt::Display for CustomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("custom error")
    }
}

impl Error for CustomError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn error_fn_exposes_source_of_custom_error() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client().error_fn(|error: &CustomError| error as &dyn Error).layer(
        service_fn(async |_: Request<Body>| {
            Err::<Response<Body>, _>(CustomError(io::ErrorKind::ConnectionRefused.into()))
        }),
    );
    service.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    assert_eq!(line.get("error.type"), Some("connection_refused"));
    assert_eq!(line.get("error.message"), Some("connection refused"));
}

fn with_body(status: u16, content_type: &'static str, body: &'static [u8]) -> Action<ScriptedBody> {
    let steps = [Step::Data(Bytes::from_static(body)), Step::Data("tail".into())];
    let mut response = Response::new(ScriptedBody::new(steps));
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Action::Respond(response)
}

#[tokio::test(start_paused = true)]
async fn log_contains_failed_body_when_enabled_and_textual() {
    const FIELD: &str = "seawall.response.body";
    let body = b"no\nroute \xff to host";
    let layer = || LoggingLayer::client().max_failed_body_bytes(12);
    let line = call(layer(), get(URL), with_body(502, "text/plain", body)).await;
    assert_eq!(line.get(FIELD), Some("no\\u{a}route \u{fffd} t"));
    let line = call(layer(), get(URL), with_body(502, "image/png", body)).await;
    assert_eq!(line.get(FIELD), None);
    let line = call(LoggingLayer::client(), get(URL), with_body(502, "text/plain", body)).await;
    assert_eq!(line.get(FIELD), None);
    let line =
        call(layer().success_level(Level::Info), get(URL), with_body(200, "text/plain", body))
            .await;
    assert_eq!(line.get(FIELD), None);
    let unlimited = LoggingLayer::client().max_failed_body_bytes(usize::MAX);
    let line = call(unlimited, get(URL), with_body(502, "text/plain", &[b'x'; 10_000])).await;
    assert_eq!(line.get(FIELD).unwrap().len(), 2_048);
}

#[tokio::test(start_paused = true)]
async fn log_contains_selected_headers_without_credentials() {
    let mut request = get(URL);
    for (name, value) in [
        ("accept", "text/plain"),
        ("authorization", "Bearer hunter2"),
        ("cookie", "sid=hunter2"),
        ("x-api-key", "hunter2"),
        ("x-other", "other"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let mut sensitive = HeaderValue::from_static("hunter2");
    sensitive.set_sensitive(true);
    request.headers_mut().insert("x-sensitive", sensitive);
    let names = ["accept", "authorization", "cookie", "x-api-key", "x-sensitive", "server"];
    let layer = LoggingLayer::client().log_headers(names.map(HeaderName::from_static));
    let mut response = response::<ScriptedBody>(502);
    response.headers_mut().insert("server", HeaderValue::from_static("nginx"));
    let line = call(layer, request, Action::Respond(response)).await;
    assert_eq!(line.get("seawall.request.headers"), Some("accept: text/plain"));
    assert_eq!(line.get("seawall.response.headers"), Some("server: nginx"));
    assert!(!format!("{line:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn log_escapes_and_truncates_request_id() {
    let mut request = get(URL);
    let id = [&b"a\tb"[..], &[b'x'; 5_000]].concat();
    request.headers_mut().insert("x-request-id", HeaderValue::from_bytes(&id).unwrap());
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = LoggingLayer::server().layer(Script::new([answer(200)]));
    drop(service.oneshot(request).await.unwrap().into_body().collect().await);
    for line in [recorder.line(), recorder.spans().pop().unwrap()] {
        let id = line.get("seawall.request_id").unwrap();
        assert!(id.starts_with(r"a\u{9}bxxx") && id.len() < 300, "{id}");
    }
    // The response's ID is logged if the request has none.
    let mut response = response::<ScriptedBody>(502);
    response.headers_mut().insert("x-request-id", HeaderValue::from_static("upstream"));
    let line = call(LoggingLayer::client(), get(URL), Action::Respond(response)).await;
    assert_eq!(line.get("seawall.request_id"), Some("upstream"));
}

#[tokio::test(start_paused = true)]
async fn log_contains_user_agent_and_route_when_enabled() {
    let mut request = get("/orders/17?a=1");
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("x/1"));
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("shop.example:8443"));
    request.extensions_mut().insert("/orders/{id}");
    let layer = LoggingLayer::server()
        .scheme("https")
        .log_user_agent(true)
        .route_fn(|head| head.extensions().get::<&str>().map(|it| (*it).to_owned()));
    let line = call(layer, request, answer(502)).await;
    for (field, value) in [
        ("url.scheme", "https"),
        ("user_agent.original", "x/1"),
        ("http.route", "/orders/{id}"),
        ("server.address", "shop.example"),
        ("server.port", "8443"),
        ("url.path", "/orders/17"),
        ("url.query", "a=1"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(line.get(field), Some(value), "{field}");
    }
}

#[tokio::test(start_paused = true)]
async fn log_names_unknown_method_other() {
    let mut request = get(URL);
    *request.method_mut() = Method::from_bytes(b"BREW").unwrap();
    *request.version_mut() = Version::HTTP_2;
    let line = call(LoggingLayer::server(), request, answer(502)).await;
    assert_eq!(line.get("http.request.method"), Some("_OTHER"));
    assert_eq!(line.get("http.request.method_original"), Some("BREW"));
    assert_eq!(line.get("network.protocol.version"), Some("2"));
    assert!(line.message().starts_with("BREW /a/b ->"));
}

#[tokio::test(start_paused = true)]
async fn redact_adds_secret_keys() {
    let uri = "http://h/?tenant-pin_2=a&refresh_token=b&api-key=c&user[passWord]=d&X-Amz-Signature=e\
               &p%61ssword=f%26g&to=http%3A%2F%2Fx%3Ftoken%3Dh%26i%3D1&monkey=1&a=b=c&=&token";
    let layer = LoggingLayer::client().redact(["tenant_pin_2"]);
    let line = call(layer, get(uri), answer(502)).await;
    assert_eq!(
        line.get("url.full").unwrap(),
        "http://h/?tenant-pin_2=REDACTED&refresh_token=REDACTED&api-key=REDACTED&user[passWord]=REDACTED\
         &X-Amz-Signature=REDACTED&p%61ssword=REDACTED&to=http%3A%2F%2Fx%3Ftoken%3DREDACTED%26i%3D1&monkey=1\
         &a=b=c&=&token",
    );
}

#[tokio::test(start_paused = true)]
async fn server_log_omits_error_type_for_client_error() {
    let line = call(LoggingLayer::server(), get(URL), answer(404)).await;
    assert_eq!((line.get("error.type"), line.get("seawall.cause")), (None, Some("client_error")));
    assert_eq!(line.message(), "GET /a/b -> 404 in 0.0ns");
    let layer = LoggingLayer::client().client_error_level(Level::Error);
    let line = call(layer, get(URL), answer(404)).await;
    assert_eq!((line.level, line.get("error.type")), (tracing::Level::ERROR, Some("404")));
}

#[tokio::test(start_paused = true)]
async fn log_names_cause_when_status_is_success() {
    let classifier =
        classify_fn(|outcome: Result<&Response<ScriptedBody>, &(dyn Error + 'static)>| {
            let failure = HttpClassifier::new().classify(outcome);
            failure.or(Some(Failure::new(Cause::Overloaded)))
        });
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client().classifier(classifier).layer(Script::new([answer(200)]));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    assert_eq!(recorder.line().get("error.type"), Some("overloaded"));
}

#[cfg(all(feature = "retry", feature = "bad-gateway"))]
#[tokio::test(start_paused = true)]
async fn log_contains_stop_reason_and_evidence() {
    use seawall::{bad_gateway::BadGatewayClassifierLayer, retry::RetryLayer};

    let page = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n";
    let act = || {
        let mut response = response::<Full<Bytes>>(503).map(|_| Body::from(page));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        Action::Respond(response)
    };
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = tower::ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(RetryLayer::new().max_retries(1))
        .layer(BadGatewayClassifierLayer::new())
        .service(Script::new([act(), act()]));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    let line = recorder.line();
    assert_eq!(line.get("seawall.stop_reason"), Some("max_retries"));
    assert_eq!(line.get("seawall.attempts"), Some("2"));
    assert_eq!(line.get("seawall.reporter"), Some("HAProxy"));
    let evidence = line.get("seawall.evidence").unwrap();
    assert!(line.message().ends_with(evidence), "{}", line.message());
    assert!(line.message().contains(", 2 attempts (max retries): "), "{}", line.message());
}

#[cfg(feature = "retry")]
#[tokio::test(start_paused = true)]
async fn log_numbers_each_attempt_inside_retry() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let script = Script::new([502, 200].map(answer));
    let service = seawall::retry::RetryLayer::new().layer(LoggingLayer::client().layer(script));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    let lines = recorder.lines();
    let counts: Vec<_> = lines.iter().map(|it| it.get("http.request.resend_count")).collect();
    assert_eq!(counts, [None, Some("1")]);
    assert!(lines[1].message().ends_with(", attempt 2"), "{}", lines[1].message());
}

#[tokio::test(start_paused = true)]
async fn log_uses_matched_path_as_route_in_axum() {
    use axum::{Router, extract::MatchedPath, routing::get as get_route};

    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let layer = LoggingLayer::server().route_fn(|head| {
        head.extensions().get().map(|path: &MatchedPath| path.as_str().to_owned())
    });
    let router: Router = Router::new().route("/orders/{id}", get_route(async || "hi")).layer(layer);
    let request = Request::get("/orders/17").body(axum::body::Body::empty()).unwrap();
    drop(router.oneshot(request).await.unwrap().into_body().collect().await);
    let line = recorder.line();
    assert_eq!(line.get("http.route"), Some("/orders/{id}"));
    assert_eq!(line.message(), "GET /orders/17 -> 200 in 0.0ns");
}
