//! Responses to gRPC calls.

use std::time::Duration;

use http::{HeaderValue, Method, Request, Response};
use http_body::Body as _;
use seawall::{
    BoxError, Cause, Failure,
    classify::{Classify, GrpcClassifier},
    error_response::{ErrorResponseLayer, ResponseBody},
};

use super::{Body, header, request, respond_with};

fn grpc_request(content_type: &'static str) -> Request<Body> {
    let mut request = request(Method::POST);
    request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
    request
}

async fn respond(error: impl Into<BoxError>) -> Response<ResponseBody<Body>> {
    respond_with(ErrorResponseLayer::new("edge"), grpc_request("application/grpc"), error).await
}

#[tokio::test]
async fn layer_returns_trailers_only_response_to_grpc_call() {
    for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
        let error = Failure::new(Cause::ConnectionRefused);
        let response =
            respond_with(ErrorResponseLayer::new("edge"), grpc_request(content_type), error).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "content-type"), Some("application/grpc"));
        assert_eq!(header(&response, "grpc-status"), Some("14"));
        assert_eq!(header(&response, "grpc-message"), Some("connection refused"));
        assert_eq!(header(&response, "grpc-retry-pushback-ms"), None);
        assert_eq!(header(&response, "proxy-status"), Some("edge;error=connection_refused"));
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        assert_eq!(header(&response, "vary"), None);
        assert!(response.body().is_end_stream());
    }
}

#[tokio::test]
async fn layer_returns_no_grpc_status_to_other_requests() {
    let get = {
        let mut get = grpc_request("application/grpc");
        *get.method_mut() = Method::GET;
        get
    };
    for request in [
        grpc_request("application/grpc-web+proto"),
        grpc_request("application/grpcx"),
        grpc_request("text/a"),
        get,
    ] {
        let response = respond_with(ErrorResponseLayer::new("edge"), request, "x").await;
        assert_eq!(response.status(), 502);
        assert_eq!(header(&response, "grpc-status"), None);
    }
}

#[tokio::test]
async fn layer_returns_documented_grpc_status_of_cause() {
    for (cause, code) in [
        (Cause::Cancelled, "1"),
        (Cause::Unknown, "2"),
        (Cause::OriginError, "2"),
        (Cause::HttpResponseTimeout, "4"),
        (Cause::HttpRequestDenied, "7"),
        (Cause::RateLimited, "8"),
        (Cause::ConnectionLimitReached, "8"),
        (Cause::Conflict, "10"),
        (Cause::DestinationNotFound, "12"),
        (Cause::HttpProtocolError, "13"),
        (Cause::BadGateway, "14"),
        (Cause::CircuitOpen, "14"),
        (Cause::ConnectionTerminated, "14"),
        (Cause::ConnectionTimeout, "14"),
        (Cause::DnsError, "14"),
        (Cause::GatewayTimeout, "14"),
        (Cause::Overloaded, "14"),
    ] {
        let response = respond(Failure::new(cause)).await;
        assert_eq!(header(&response, "grpc-status"), Some(code), "{cause}");
    }
}

#[tokio::test]
async fn layer_returns_no_cause_as_grpc_status_ok() {
    for &cause in Cause::ALL {
        let response = respond(Failure::new(cause)).await;
        let code: u32 = header(&response, "grpc-status").unwrap().parse().unwrap();
        assert!((1..=16).contains(&code), "{cause}");
    }
}

#[tokio::test]
async fn layer_sends_pushback_in_milliseconds_rounded_up() {
    for (wait, ms) in [
        (Duration::ZERO, "0"),
        (Duration::from_micros(1_001), "2"),
        (Duration::from_secs(3), "3000"),
        (Duration::MAX, "2147483647"),
    ] {
        let failure = Failure::new(Cause::Overloaded).with_retry_after(Some(wait));
        let response = respond(failure).await;
        assert_eq!(header(&response, "grpc-retry-pushback-ms"), Some(ms));
        let failure = GrpcClassifier::new().classify(Ok(&response)).unwrap();
        assert!(failure.retry_after().is_some());
    }
}

#[cfg(feature = "retry")]
#[tokio::test]
async fn layer_sends_negative_pushback_when_retries_are_exhausted() {
    use seawall::retry::{Backoff, RetryLayer};
    use tower::{Layer, ServiceExt};

    use crate::support::{Action, Script};

    let fail = || Action::Fail(Failure::new(Cause::Overloaded).into());
    let script: Script<Body> = Script::new([fail(), fail()]);
    let retry = RetryLayer::new().max_retries(1).backoff(Backoff::none());
    let error = retry.layer(script).oneshot(request(Method::GET)).await.unwrap_err();
    let response = respond(error).await;
    assert_eq!(header(&response, "grpc-retry-pushback-ms"), Some("-1"));
    let failure = GrpcClassifier::new().classify(Ok(&response)).unwrap();
    assert_eq!(failure.retry_hint(), Some(false));
}

#[tokio::test]
async fn grpc_classifier_reads_cause_from_response_extension() {
    let response = respond(Failure::new(Cause::DnsError)).await;
    let failure = GrpcClassifier::new().classify(Ok(&response)).unwrap();
    assert_eq!(failure.cause(), Cause::DnsError);
}

#[tokio::test]
async fn layer_percent_encodes_disclosed_error_text() {
    let layer = ErrorResponseLayer::new("edge").include_error_text(true);
    let response =
        respond_with(layer, grpc_request("application/grpc"), "100 % \u{e4}\r\nx: y").await;
    let expected = "unknown: 100 %25 %C3%A4??x: y";
    assert_eq!(header(&response, "grpc-message"), Some(expected));
}
