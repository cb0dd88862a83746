//! Tests of `ErrorResponseLayer`, which turns each error into a response.

#[cfg(feature = "retry")]
mod after_retries;
mod grpc;
mod injection;
mod negotiation;
mod page;
mod pass_through;
#[cfg(all(feature = "full", feature = "hyper-util"))]
mod real_servers;
mod redaction;

use std::{
    convert::Infallible,
    io,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError, Cause, Failure,
    error_response::{ErrorResponseLayer, ResponseBody},
};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Action, Script, ScriptedBody, Step};

type Body = Full<Bytes>;

fn request(method: Method) -> Request<Body> {
    Request::builder().method(method).uri("/").body(Body::default()).unwrap()
}

async fn respond(name: &str, error: impl Into<BoxError>) -> Response<ResponseBody<Body>> {
    respond_with(ErrorResponseLayer::new(name), request(Method::GET), error).await
}

/// Returns the response of `layer` to `request` when the inner service fails with `error`.
async fn respond_with(
    layer: ErrorResponseLayer,
    request: Request<Body>,
    error: impl Into<BoxError>,
) -> Response<ResponseBody<Body>> {
    let script = Script::new([Action::Fail(error.into())]);
    let Ok(response) = layer.layer(script).oneshot(request).await;
    response
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Returns a GET request with `headers`.
fn get(headers: &[(&'static str, &[u8])]) -> Request<Body> {
    let mut request = request(Method::GET);
    for &(name, value) in headers {
        request.headers_mut().append(name, http::HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn text<B: http_body::Body<Error: std::fmt::Debug>>(response: Response<B>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn layer_returns_status_headers_and_problem_document() {
    let response = respond("edge", io::Error::from(io::ErrorKind::ConnectionRefused)).await;
    assert_eq!(response.status(), 502);
    let headers = response.headers();
    assert_eq!(headers["proxy-status"], "edge;error=connection_refused");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!headers.contains_key("retry-after"));
    let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "about:blank",
            "title": "Bad Gateway",
            "status": 502,
            "detail": "connection refused",
            "cause": "connection_refused",
        }),
    );
}

#[tokio::test]
async fn layer_returns_status_and_registered_error_type_of_each_cause() {
    for &cause in Cause::ALL {
        let response = respond("edge", Failure::new(cause)).await;
        assert_eq!(response.status(), cause.gateway_status(), "{cause}");
        let header = response.headers()["proxy-status"].to_str().unwrap();
        if let Some((_, error)) = header.split_once("error=") {
            assert!(error.parse::<Cause>().unwrap().is_registered(), "{header}");
        } else {
            assert!(!cause.is_registered(), "{cause}");
        }
    }
}

#[tokio::test]
async fn layer_reports_open_circuit_as_destination_unavailable() {
    let response = respond("edge", Failure::new(Cause::CircuitOpen)).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["proxy-status"], "edge;error=destination_unavailable");
}

#[tokio::test]
async fn layer_sends_retry_after_in_seconds_rounded_up() {
    for (wait, seconds) in [(0, "0"), (1, "1"), (1_000, "1"), (1_001, "2")] {
        let failure =
            Failure::new(Cause::Overloaded).with_retry_after(Some(Duration::from_millis(wait)));
        assert_eq!(respond("edge", failure).await.headers()["retry-after"], seconds);
    }
    let failure = Failure::new(Cause::Overloaded).with_retry_after(Some(Duration::MAX));
    assert_eq!(respond("edge", failure).await.headers()["retry-after"], u64::MAX.to_string());
}

#[tokio::test]
async fn layer_sends_received_status_of_next_hop() {
    let failure = Failure::new(Cause::BadGateway).with_status(http::StatusCode::BAD_GATEWAY);
    let response = respond("edge", failure).await;
    assert_eq!(response.headers()["proxy-status"], "edge;received-status=502");
}

#[tokio::test]
async fn layer_quotes_name_when_no_token() {
    for (name, member) in [
        ("edge.example:8080", "edge.example:8080"),
        ("two words", "\"two words\""),
        ("", "\"\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("r\u{fc}ckwand\r\nx: y", "\"r?ckwand??x: y\""),
    ] {
        let response = respond(name, "x").await;
        assert_eq!(response.headers()["proxy-status"], member, "{name:?}");
    }
}

#[tokio::test]
async fn layer_does_not_disclose_error_text() {
    let response = respond("edge", "password is hunter2 at 10.0.0.1").await;
    let head_and_body = format!("{:?}", response.headers()) + &text(response).await;
    for secret in ["hunter2", "10.0.0.1"] {
        assert!(!head_and_body.contains(secret), "{head_and_body}");
    }
}

#[tokio::test]
async fn layer_returns_no_body_when_method_is_head() {
    for accept in ["*/*", "text/html", "text/plain"] {
        let send = |method| {
            let mut request = get(&[("accept", accept.as_bytes()), ("x-request-id", b"7f")]);
            *request.method_mut() = method;
            respond_with(ErrorResponseLayer::new("edge"), request, "x")
        };
        let (head, get) = (send(Method::HEAD).await, send(Method::GET).await);
        assert_eq!(head.status(), 502);
        assert_eq!(head.headers(), get.headers());
        assert!(head.body().is_end_stream());
        assert_eq!(text(head).await, "");
        let length = header(&get, "content-length").unwrap().to_owned();
        assert_eq!(text(get).await.len().to_string(), length);
    }
}

#[cfg(feature = "retry")]
#[tokio::test]
async fn layer_advises_callers_not_to_retry_when_retries_are_exhausted() {
    use seawall::retry::{Backoff, RetriesExhausted, RetryLayer};

    let error = || io::Error::from(io::ErrorKind::ConnectionRefused).into();
    let script: Script<Body> = Script::new([Action::Fail(error()), Action::Fail(error())]);
    let retry = RetryLayer::new().max_retries(1).backoff(Backoff::none());
    let error = retry.layer(script).oneshot(request(Method::GET)).await.unwrap_err();
    assert!(seawall::find_source::<RetriesExhausted>(&*error).is_some());
    let response = respond("edge", error).await;
    assert_eq!(header(&response, "x-should-retry"), Some("false"));
    let failure = response.extensions().get::<Failure>().unwrap();
    assert_eq!(failure.retry_hint(), Some(false));
}

#[tokio::test]
async fn layer_sends_no_retry_advice_without_retries() {
    let response = respond("edge", Failure::new(Cause::ConnectionRefused)).await;
    assert_eq!(header(&response, "x-should-retry"), None);
}

#[tokio::test]
async fn layer_discloses_error_text_and_sources_when_enabled() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let error = io::Error::other(ConnectError(refused));
    let layer = ErrorResponseLayer::new("edge").include_error_text(true);
    let response = respond_with(layer, request(Method::GET), error).await;
    let error_text = "cannot reach \"db\" at 10.0.0.1: connection refused";
    let expected = "edge;error=connection_refused;\
        details=\"cannot reach \\\"db\\\" at 10.0.0.1: connection refused\"";
    assert_eq!(header(&response, "proxy-status"), Some(expected));
    let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["error"], error_text);
}

/// An error with a source and an address in its message.
#[derive(Debug)]
struct ConnectError(io::Error);

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot reach \"db\" at 10.0.0.1")
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn layer_discloses_repeated_error_text_once() {
    let layer = ErrorResponseLayer::new("edge").include_error_text(true);
    let error = io::Error::other(io::Error::other("the same"));
    let response = respond_with(layer, request(Method::GET), error).await;
    assert_eq!(header(&response, "proxy-status"), Some("edge;details=\"the same\""));
}

#[tokio::test]
async fn layer_passes_each_response_unchanged() {
    for status in [200, 404, 502] {
        let body = ScriptedBody::sized([Step::Data("as it".into()), Step::Data(" was".into())]);
        let inner = Response::builder().status(status).header("x-a", "b").body(body).unwrap();
        let script = Script::new([Action::Respond(inner)]);
        let service = ErrorResponseLayer::new("edge").layer(script);
        let Ok(response) = service.oneshot(request(Method::GET)).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().len(), 1);
        assert_eq!(response.body().size_hint().exact(), Some(9));
        assert_eq!(text(response).await, "as it was");
    }
}

#[tokio::test]
async fn error_response_has_exact_size_hint() {
    let response = respond("edge", "x").await;
    let size = response.body().size_hint().exact().unwrap();
    assert!(!response.body().is_end_stream());
    assert_eq!(text(response).await.len() as u64, size);
}

/// A service whose first `poll_ready` fails.
///
/// Panics when it is called without being ready.
#[derive(Clone)]
struct NotReadyOnce {
    failed: bool,
    ready: bool,
}

impl Service<Request<Body>> for NotReadyOnce {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = std::mem::replace(&mut self.failed, true);
        if self.ready {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(Failure::new(Cause::Overloaded).into()))
        }
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before `poll_ready` returned ready");
        std::future::ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn layer_returns_readiness_error_to_next_call_only() {
    let inner = NotReadyOnce { failed: false, ready: false };
    let mut service = ErrorResponseLayer::new("edge").layer(inner);
    let Ok(first) = service.ready().await.unwrap().call(request(Method::GET)).await;
    let Ok(second) = service.ready().await.unwrap().call(request(Method::GET)).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (503, 200));
}

#[tokio::test]
async fn layer_discloses_text_of_readiness_error_when_enabled() {
    let inner = NotReadyOnce { failed: false, ready: false };
    let mut service = ErrorResponseLayer::new("edge").include_error_text(true).layer(inner);
    let Ok(response) = service.ready().await.unwrap().call(request(Method::GET)).await;
    let expected = "edge;error=destination_unavailable;\
        details=\"overloaded (may have been processed)\"";
    assert_eq!(header(&response, "proxy-status"), Some(expected));
}

#[tokio::test]
async fn layer_accepts_infallible_service() {
    let inner =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("ok"))));
    let service =
        ErrorResponseLayer::new("edge").layer(ErrorResponseLayer::new("inner").layer(inner));
    let Ok(response) = service.oneshot(request(Method::GET)).await;
    assert_eq!(text(response).await, "ok");
}
