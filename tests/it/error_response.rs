//! `ErrorResponseLayer`: every error becomes an answer.

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
use proptest::prelude::*;
use seawall::{BoxError, Cause, ErrorResponseLayer, Failure, error_response::ResponseBody};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Act, Script, Step, Steps};

type Body = Full<Bytes>;

fn request(method: Method) -> Request<Body> {
    Request::builder().method(method).uri("/").body(Body::default()).unwrap()
}

async fn answer(name: &str, error: impl Into<BoxError>) -> Response<ResponseBody<Body>> {
    let script = Script::new([Act::Fail(error.into())]);
    let Ok(response) =
        ErrorResponseLayer::new(name).layer(script).oneshot(request(Method::GET)).await;
    response
}

async fn text<B: http_body::Body<Error: std::fmt::Debug>>(response: Response<B>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn an_error_is_answered_with_status_header_and_problem() {
    let response = answer("edge", io::Error::from(io::ErrorKind::ConnectionRefused)).await;
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
async fn every_cause_is_answered_with_its_status_and_a_registered_error_type() {
    for &cause in Cause::ALL {
        let response = answer("edge", Failure::new(cause)).await;
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
async fn an_open_circuit_is_an_unavailable_destination() {
    let response = answer("edge", Failure::new(Cause::CircuitOpen)).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["proxy-status"], "edge;error=destination_unavailable");
}

#[tokio::test]
async fn a_known_wait_is_told_in_whole_seconds_rounded_up() {
    for (wait, seconds) in [(0, "0"), (1, "1"), (1_000, "1"), (1_001, "2")] {
        let failure =
            Failure::new(Cause::Overloaded).with_retry_after(Some(Duration::from_millis(wait)));
        assert_eq!(answer("edge", failure).await.headers()["retry-after"], seconds);
    }
    let failure = Failure::new(Cause::Overloaded).with_retry_after(Some(Duration::MAX));
    assert_eq!(answer("edge", failure).await.headers()["retry-after"], u64::MAX.to_string());
}

#[tokio::test]
async fn the_status_of_a_next_hop_is_told() {
    let failure = Failure::new(Cause::BadGateway).with_status(http::StatusCode::BAD_GATEWAY);
    let response = answer("edge", failure).await;
    assert_eq!(response.headers()["proxy-status"], "edge;received-status=502");
}

#[tokio::test]
async fn a_name_that_is_no_token_becomes_a_string() {
    for (name, member) in [
        ("edge.example:8080", "edge.example:8080"),
        ("two words", "\"two words\""),
        ("", "\"\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("r\u{fc}ckwand\r\nx: y", "\"r?ckwand??x: y\""),
    ] {
        let response = answer(name, "x").await;
        assert_eq!(response.headers()["proxy-status"], member, "{name:?}");
    }
}

#[tokio::test]
async fn nothing_of_the_error_s_text_is_disclosed() {
    let response = answer("edge", "password is hunter2 at 10.0.0.1").await;
    let all = format!("{:?}", response.headers()) + &text(response).await;
    for secret in ["hunter2", "10.0.0.1"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[tokio::test]
async fn a_head_request_gets_the_head_only() {
    let script = Script::new([Act::<Body>::Fail("x".into())]);
    let service = ErrorResponseLayer::new("edge").layer(script);
    let Ok(response) = service.oneshot(request(Method::HEAD)).await;
    assert_eq!(response.status(), 502);
    assert!(response.headers().contains_key("proxy-status"));
    assert!(response.body().is_end_stream());
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn responses_pass_untouched_failed_ones_too() {
    for status in [200, 404, 502] {
        let body = Steps::sized([Step::Data("as it".into()), Step::Data(" was".into())]);
        let inner = Response::builder().status(status).header("x-a", "b").body(body).unwrap();
        let script = Script::new([Act::Answer(inner)]);
        let service = ErrorResponseLayer::new("edge").layer(script);
        let Ok(response) = service.oneshot(request(Method::GET)).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().len(), 1);
        assert_eq!(response.body().size_hint().exact(), Some(9));
        assert_eq!(text(response).await, "as it was");
    }
}

#[tokio::test]
async fn the_size_of_an_answer_is_exact() {
    let response = answer("edge", "x").await;
    let size = response.body().size_hint().exact().unwrap();
    assert!(!response.body().is_end_stream());
    assert_eq!(text(response).await.len() as u64, size);
}

/// Fails to become ready once; fails the test when called without being ready.
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
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        std::future::ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn an_error_of_readiness_is_the_answer_to_the_next_call_and_to_no_other() {
    let inner = NotReadyOnce { failed: false, ready: false };
    let mut service = ErrorResponseLayer::new("edge").layer(inner);
    let Ok(first) = service.ready().await.unwrap().call(request(Method::GET)).await;
    let Ok(second) = service.ready().await.unwrap().call(request(Method::GET)).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (503, 200));
}

#[tokio::test]
async fn an_infallible_service_is_taken_too() {
    let inner =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("ok"))));
    let service =
        ErrorResponseLayer::new("edge").layer(ErrorResponseLayer::new("inner").layer(inner));
    let Ok(response) = service.oneshot(request(Method::GET)).await;
    assert_eq!(text(response).await, "ok");
}

proptest! {
    #[test]
    fn no_name_can_break_out_of_the_header(name in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let response = runtime.block_on(answer(&name, io::Error::from(io::ErrorKind::TimedOut)));
        let header = response.headers()["proxy-status"].to_str().unwrap();
        let list: sfv::List = sfv::Parser::new(header).parse().unwrap();
        prop_assert_eq!(list.len(), 1);
        prop_assert!(header.ends_with(";error=http_response_timeout"));
    }
}
