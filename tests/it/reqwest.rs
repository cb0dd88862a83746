//! `seawall::reqwest::Client` on real sockets, classified as with hyper.

use std::{future::ready, sync::Mutex, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use scripted_origin::{Origin, Script};
use seawall::{
    BoxError, Cause, Failure, Processed,
    classify::{classify_body_error, classify_error},
    find_source,
    logging::LoggingLayer,
    reqwest::Client,
    retry::{Backoff, RetryLayer},
    test_util::{FlakyUpstream, Step},
    timeout::TimeoutLayer,
};
use tower::{Layer, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;

use crate::log_capture::Recorder;

type Body = Full<Bytes>;

fn request(method: &str, url: &str) -> Request<Body> {
    Request::builder().method(method).uri(url).body(Body::from("hi")).unwrap()
}

async fn call(client: Client, request: Request<Body>) -> Result<(), BoxError> {
    let client = TimeoutLayer::new(Duration::from_millis(200)).layer(client);
    let layer = RetryLayer::new().backoff(Backoff::none()).max_retries(1);
    let response = layer.layer(client).oneshot(request).await?;
    response.into_body().collect().await?;
    Ok(())
}

fn client() -> Client {
    Client::build(::reqwest::Client::builder().no_proxy()).unwrap()
}

async fn failure_and_requests(script: Script, method: &str) -> (Failure, u64) {
    let origin = Origin::start(script).await.unwrap();
    let request = request(method, &format!("http://{}/", origin.addr()));
    let error = call(client(), request).await.unwrap_err();
    (classify_error(&*error), origin.requests())
}

#[tokio::test]
async fn client_failures_have_same_causes_as_with_hyper() {
    for (script, cause, processed, expected_requests) in [
        (Script::Refuse, Cause::ConnectionRefused, Processed::No, [0, 0]),
        (Script::ReadClose, Cause::ConnectionTerminated, Processed::Maybe, [2, 1]),
        (Script::Reset, Cause::ConnectionTerminated, Processed::Maybe, [2, 1]),
        (Script::TruncatedHead, Cause::ConnectionTerminated, Processed::Maybe, [2, 1]),
        (Script::Garbage, Cause::HttpProtocolError, Processed::Maybe, [2, 1]),
        (Script::Silent, Cause::HttpResponseTimeout, Processed::Maybe, [2, 1]),
        (Script::HugeHead, Cause::HttpResponseHeaderSectionSize, Processed::Maybe, [1, 1]),
    ] {
        for (method, expected) in ["GET", "POST"].into_iter().zip(expected_requests) {
            let (failure, requests) = failure_and_requests(script, method).await;
            assert_eq!(failure.cause(), cause, "{script:?} {method}");
            assert_eq!(failure.processed(), processed, "{script:?} {method}");
            assert_eq!(requests, expected, "{script:?} {method}");
        }
    }
}

#[tokio::test]
async fn unresolvable_name_is_dns_error_and_not_processed() {
    let error = call(client(), request("GET", "http://does-not-exist.invalid/")).await.unwrap_err();
    let failure = classify_error(&*error);
    assert_eq!((failure.cause(), failure.processed()), (Cause::DnsError, Processed::No));
}

#[tokio::test]
async fn reqwest_timeout_is_response_timeout() {
    let origin = Origin::start(Script::Silent).await.unwrap();
    let builder = ::reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(50));
    let request = request("POST", &format!("http://{}/", origin.addr()));
    let error = call(Client::build(builder).unwrap(), request).await.unwrap_err();
    assert!(find_source::<::reqwest::Error>(&*error).unwrap().is_timeout());
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::HttpResponseTimeout);
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn unsupported_url_is_request_error() {
    let error = call(client(), request("GET", "/no-host")).await.unwrap_err();
    assert_eq!(classify_error(&*error).cause(), Cause::HttpRequestError);
}

/// The text contains the URL and therefore its secrets.
#[tokio::test]
async fn logging_layer_hides_query_in_text_of_reqwest_error() {
    let origin = Origin::start(Script::Status(404)).await.unwrap();
    let url = format!("http://{}/?token=SECRET", origin.addr());
    let status_error = async || {
        let response = ::reqwest::Client::builder().no_proxy().build().unwrap().get(&url).send();
        let error = response.await.unwrap().error_for_status().unwrap_err();
        assert!(error.to_string().contains("SECRET"), "{error}");
        error
    };
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let bare = Mutex::new(Some(status_error().await));
    let client = service_fn(|_: Request<Body>| {
        ready(Err::<Response<Body>, _>(bare.lock().unwrap().take().unwrap()))
    });
    LoggingLayer::client().layer(client).oneshot(request("GET", "http://h/")).await.unwrap_err();
    let boxed = Mutex::new(Some(BoxError::from(status_error().await)));
    let client = service_fn(|_: Request<Body>| {
        ready(Err::<Response<Body>, _>(boxed.lock().unwrap().take().unwrap()))
    });
    LoggingLayer::client().layer(client).oneshot(request("GET", "http://h/")).await.unwrap_err();
    for line in recorder.lines() {
        let message = line.get("error.message").unwrap();
        assert!(message.contains("404") && message.ends_with("/?REDACTED)"), "{message}");
        assert_eq!(line.get("seawall.outcome"), Some("error"));
    }
    assert_eq!(recorder.lines().len(), 2);
    assert!(!format!("{:?}", recorder.events()).contains("SECRET"));
}

#[tokio::test]
async fn retry_layer_does_not_retry_post_when_possibly_redirected() {
    let dead = FlakyUpstream::refusing().unwrap();
    let redirect = Step::status(303).header("location", dead.url("/result"));
    let origin = FlakyUpstream::start(redirect).await.unwrap();
    let request = request("POST", &origin.url("/pay"));
    let following = ::reqwest::Client::builder().no_proxy().build().unwrap();
    let error = call(Client::new(following), request).await.unwrap_err();
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::ConnectionRefused);
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!(origin.requests(), 1);
    assert!(find_source::<seawall::reqwest::Error>(&*error).unwrap().may_be_redirected());
}

#[tokio::test]
async fn built_client_returns_redirects_unchanged() {
    let redirect = Step::status(303).header("location", "http://127.0.0.1:1/");
    let origin = FlakyUpstream::start(redirect).await.unwrap();
    let request = request("POST", &origin.url("/"));
    let response = client().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn bare_reqwest_error_may_be_processed() {
    let dead = FlakyUpstream::refusing().unwrap();
    let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
    let error = client.get(dead.url("/")).send().await.unwrap_err();
    let failure = classify_error(&error);
    assert_eq!(failure.cause(), Cause::ConnectionRefused);
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn truncated_body_is_incomplete() {
    for script in [Script::TruncatedBody, Script::TruncatedChunks] {
        let origin = Origin::start(script).await.unwrap();
        let request = request("GET", &format!("http://{}/", origin.addr()));
        let error = call(client(), request).await.unwrap_err();
        assert_eq!(classify_body_error(&*error).cause(), Cause::HttpResponseIncomplete);
    }
}

#[tokio::test]
async fn each_attempt_sends_same_body() {
    let origin = FlakyUpstream::start(Step::status(502)).await.unwrap();
    call(client(), request("PUT", &origin.url("/"))).await.unwrap();
    let received = origin.received();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|request| request.body() == b"hi"));
}
