//! gRPC calls are answered as gRPC.

use std::time::Duration;

use http::{HeaderValue, Method, Request, Response};
use http_body::Body as _;
use seawall::{
    BoxError, Cause, Failure,
    classify::{Classify, GrpcClassifier},
    error_response::{ErrorResponseLayer, ResponseBody},
};

use super::{Body, ask, header, request};

fn call(content_type: &'static str) -> Request<Body> {
    let mut request = request(Method::POST);
    request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
    request
}

async fn answer(error: impl Into<BoxError>) -> Response<ResponseBody<Body>> {
    ask(ErrorResponseLayer::new("edge"), call("application/grpc"), error).await
}

#[tokio::test]
async fn a_call_is_answered_with_trailers_only() {
    for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
        let error = Failure::new(Cause::ConnectionRefused);
        let response = ask(ErrorResponseLayer::new("edge"), call(content_type), error).await;
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
async fn what_is_not_grpc_is_not_answered_so() {
    let get = {
        let mut get = call("application/grpc");
        *get.method_mut() = Method::GET;
        get
    };
    for request in
        [call("application/grpc-web+proto"), call("application/grpcx"), call("text/a"), get]
    {
        let response = ask(ErrorResponseLayer::new("edge"), request, "x").await;
        assert_eq!(response.status(), 502);
        assert_eq!(header(&response, "grpc-status"), None);
    }
}

#[tokio::test]
async fn each_cause_has_the_code_that_grpc_describes() {
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
        let response = answer(Failure::new(cause)).await;
        assert_eq!(header(&response, "grpc-status"), Some(code), "{cause}");
    }
}

#[tokio::test]
async fn no_cause_is_answered_as_ok() {
    for &cause in Cause::ALL {
        let response = answer(Failure::new(cause)).await;
        let code: u32 = header(&response, "grpc-status").unwrap().parse().unwrap();
        assert!((1..=16).contains(&code), "{cause}");
    }
}

#[tokio::test]
async fn a_known_wait_is_pushback_in_milliseconds_rounded_up() {
    for (wait, ms) in [
        (Duration::ZERO, "0"),
        (Duration::from_micros(1_001), "2"),
        (Duration::from_secs(3), "3000"),
        (Duration::MAX, "2147483647"),
    ] {
        let failure = Failure::new(Cause::Overloaded).with_retry_after(Some(wait));
        let response = answer(failure).await;
        assert_eq!(header(&response, "grpc-retry-pushback-ms"), Some(ms));
        let read = GrpcClassifier::new().classify(Ok(&response)).unwrap();
        assert!(read.retry_after().is_some());
    }
}

#[cfg(feature = "retry")]
#[tokio::test]
async fn after_giving_up_the_caller_is_told_not_to_try_again() {
    use seawall::retry::{Backoff, RetryLayer};
    use tower::{Layer, ServiceExt};

    use crate::support::{Act, Script};

    let fail = || Act::Fail(Failure::new(Cause::Overloaded).into());
    let script: Script<Body> = Script::new([fail(), fail()]);
    let retry = RetryLayer::new().max_retries(1).backoff(Backoff::none());
    let error = retry.layer(script).oneshot(request(Method::GET)).await.unwrap_err();
    let response = answer(error).await;
    assert_eq!(header(&response, "grpc-retry-pushback-ms"), Some("-1"));
    let read = GrpcClassifier::new().classify(Ok(&response)).unwrap();
    assert_eq!(read.retry_hint(), Some(false));
}

#[tokio::test]
async fn the_classifier_around_it_knows_the_cause_itself() {
    let failure = Failure::new(Cause::DnsError);
    let read = GrpcClassifier::new().classify(Ok(&answer(failure).await)).unwrap();
    assert_eq!(read.cause(), Cause::DnsError);
}

#[tokio::test]
async fn a_disclosed_text_is_percent_encoded() {
    let layer = ErrorResponseLayer::new("edge").include_error_text(true);
    let response = ask(layer, call("application/grpc"), "100 % \u{e4}\r\nx: y").await;
    let expected = "unknown: 100 %25 %C3%A4??x: y";
    assert_eq!(header(&response, "grpc-message"), Some(expected));
}
