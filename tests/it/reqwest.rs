//! `seawall::reqwest::Client` on real sockets: the same conclusions as with hyper.

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

async fn failure(script: Script, method: &str) -> (Failure, u64) {
    let origin = Origin::start(script).await.unwrap();
    let request = request(method, &format!("http://{}/", origin.addr()));
    let error = call(client(), request).await.unwrap_err();
    (classify_error(&*error), origin.requests())
}

#[tokio::test]
async fn failures_have_the_same_causes_as_with_hyper() {
    for (script, cause, processed, sent) in [
        (Script::Refuse, Cause::ConnectionRefused, Processed::No, [0, 0]),
        (Script::ReadClose, Cause::ConnectionTerminated, Processed::Maybe, [2, 1]),
        (Script::Reset, Cause::ConnectionTerminated, Processed::Maybe, [2, 1]),
        (Script::TruncatedHead, Cause::ConnectionTerminated, Processed::Maybe, [2, 1]),
        (Script::Garbage, Cause::HttpProtocolError, Processed::Maybe, [2, 1]),
        (Script::Silent, Cause::HttpResponseTimeout, Processed::Maybe, [2, 1]),
        (Script::HugeHead, Cause::HttpResponseHeaderSectionSize, Processed::Maybe, [1, 1]),
    ] {
        for (method, sent) in ["GET", "POST"].into_iter().zip(sent) {
            let (failure, requests) = failure(script, method).await;
            assert_eq!(failure.cause(), cause, "{script:?} {method}");
            assert_eq!(failure.processed(), processed, "{script:?} {method}");
            assert_eq!(requests, sent, "{script:?} {method}");
        }
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_dns_error_and_not_processed() {
    let error = call(client(), request("GET", "http://does-not-exist.invalid/")).await.unwrap_err();
    let failure = classify_error(&*error);
    assert_eq!((failure.cause(), failure.processed()), (Cause::DnsError, Processed::No));
}

#[tokio::test]
async fn reqwest_s_own_timeout_is_a_response_timeout() {
    let origin = Origin::start(Script::Silent).await.unwrap();
    let inner = ::reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(50));
    let request = request("POST", &format!("http://{}/", origin.addr()));
    let error = call(Client::build(inner).unwrap(), request).await.unwrap_err();
    assert!(find_source::<::reqwest::Error>(&*error).unwrap().is_timeout());
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::HttpResponseTimeout);
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn a_url_that_reqwest_cannot_take_is_the_request_s_fault() {
    let error = call(client(), request("GET", "/no-host")).await.unwrap_err();
    assert_eq!(classify_error(&*error).cause(), Cause::HttpRequestError);
}

/// It quotes the URL, with all that is secret in it.
#[tokio::test]
async fn an_error_of_reqwest_is_logged_without_its_text() {
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
        assert_eq!(line.get("error.message"), None);
        assert_eq!(line.get("seawall.outcome"), Some("error"));
    }
    assert_eq!(recorder.lines().len(), 2);
    assert!(!format!("{:?}", recorder.events()).contains("SECRET"));
}

#[tokio::test]
async fn a_post_that_may_have_been_redirected_to_a_dead_server_is_not_sent_again() {
    let dead = FlakyUpstream::refusing().unwrap();
    let done = Step::status(303).header("location", dead.url("/result"));
    let origin = FlakyUpstream::start(done).await.unwrap();
    let request = request("POST", &origin.url("/pay"));
    let follows = ::reqwest::Client::builder().no_proxy().build().unwrap();
    let error = call(Client::new(follows), request).await.unwrap_err();
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::ConnectionRefused);
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!(origin.requests(), 1);
    assert!(find_source::<seawall::reqwest::Error>(&*error).unwrap().may_be_redirected());
}

#[tokio::test]
async fn a_built_client_returns_redirects_as_they_are() {
    let elsewhere = Step::status(303).header("location", "http://127.0.0.1:1/");
    let origin = FlakyUpstream::start(elsewhere).await.unwrap();
    let request = request("POST", &origin.url("/"));
    let response = client().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn a_bare_error_of_reqwest_proves_nothing_since_it_may_have_been_redirected() {
    let dead = FlakyUpstream::refusing().unwrap();
    let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
    let error = client.get(dead.url("/")).send().await.unwrap_err();
    let failure = classify_error(&error);
    assert_eq!(failure.cause(), Cause::ConnectionRefused);
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_incomplete() {
    for script in [Script::TruncatedBody, Script::TruncatedChunks] {
        let origin = Origin::start(script).await.unwrap();
        let request = request("GET", &format!("http://{}/", origin.addr()));
        let error = call(client(), request).await.unwrap_err();
        assert_eq!(classify_body_error(&*error).cause(), Cause::HttpResponseIncomplete);
    }
}

#[tokio::test]
async fn every_attempt_sends_the_same_body() {
    let origin = FlakyUpstream::start(Step::status(502)).await.unwrap();
    call(client(), request("PUT", &origin.url("/"))).await.unwrap();
    let received = origin.received();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|request| request.body() == b"hi"));
}
