//! reqwest's client in the stack, and layers around its connector.

use std::{future::pending, num::NonZeroU32, time::Duration};

use ::axum::{Router, body::Body, response::Redirect};
use ::reqwest::{
    ClientBuilder,
    dns::{Name, Resolve, Resolving},
};
use http::Request;
use http_body_util::BodyExt;
use scripted_origin::{Origin, Script};
use seawall::{
    BoxError, Cause, Elapsed, Processed,
    classify::classify_error,
    find_source,
    in_flight::{InFlightLimitLayer, LimitReached},
    reqwest::Client,
    retry::{RetriesExhausted, RetryLayer},
    standard::StandardLayer,
    timeout::TimeoutLayer,
};
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceBuilder, ServiceExt};

use super::{counting_app, serve, stack, without_backoff};
use crate::support::sockets::{channel, full, hyper_client, origin, read, request, url};

fn builder() -> ClientBuilder {
    ::reqwest::Client::builder().no_proxy()
}

fn client(builder: ClientBuilder) -> Client {
    Client::build(builder).unwrap()
}

#[tokio::test]
async fn each_attempt_sends_same_body_with_content_length() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let client = ServiceBuilder::new().layer(stack()).service(client(builder()));
    for text in ["one", "two"] {
        let put = Request::put(url(&origin)).body(text.to_owned()).unwrap();
        let response = client.clone().oneshot(put).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    let received = origin.received();
    let bodies: Vec<_> = received.iter().map(|request| &*request.body).collect();
    assert_eq!(bodies, [b"one", b"two", b"two"]);
    assert!(received.iter().all(|request| request.head.contains("content-length: 3\r\n")));
}

#[tokio::test]
async fn client_sends_get_without_transfer_encoding() {
    let origin = origin(Script::Healthy).await;
    let client = ServiceBuilder::new().layer(stack()).service(client(builder()));
    let get = Request::get(url(&origin)).body(String::new()).unwrap();
    client.oneshot(get).await.unwrap();
    let head = &origin.received()[0].head;
    assert!(!head.contains("transfer-encoding"), "{head}");
}

/// axum's body is not `Sync`, which reqwest requires.
#[tokio::test]
async fn client_forwards_requests_of_axum_gateway() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let upstream_uri: http::Uri = url(&origin).parse().unwrap();
    let upstream = ServiceBuilder::new()
        .layer(StandardLayer::gateway("edge").retry(without_backoff()))
        .map_request(move |request| forward_to(&upstream_uri, request))
        .service(client(builder()));
    let addr = serve(Router::new().fallback_service(upstream)).await;
    for _ in 0..2 {
        let put = request("PUT", &format!("http://{addr}/"), full(b"hello"));
        let response = hyper_client().oneshot(put).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(read(response).await.unwrap(), "ok");
    }
    assert_eq!(origin.requests(), 3);
    assert!(origin.received().iter().all(|request| request.body == b"hello"));
}

fn forward_to<B>(upstream: &http::Uri, mut request: Request<B>) -> Request<B> {
    request.uri_mut().clone_from(upstream);
    request.headers_mut().remove("host");
    request
}

#[tokio::test]
async fn client_sends_streaming_body() {
    let origin = origin(Script::Healthy).await;
    let (sender, body) = channel();
    let body = Body::new(body);
    for part in ["first, ", "last"] {
        sender.send(part.into()).unwrap();
    }
    drop(sender);
    let put = Request::put(url(&origin)).body(body).unwrap();
    let client = ServiceBuilder::new().layer(stack()).service(client(builder()));
    assert_eq!(client.oneshot(put).await.unwrap().status(), 200);
    assert_eq!(origin.received()[0].body, b"first, last");
}

/// `Client::new` keeps the redirect policy of the wrapped client.
#[tokio::test]
async fn wrapped_client_follows_redirects_without_body() {
    let end = origin(Script::Healthy).await;
    for redirect in [Redirect::to, Redirect::permanent] {
        let (app, _) = counting_app({
            let target = url(&end);
            move |_, _| redirect(&target)
        });
        let redirecting_url = format!("http://{}/", serve(app).await);
        let client = Client::new(builder().build().unwrap());
        let get = Request::get(redirecting_url).body(String::new()).unwrap();
        let response = ServiceBuilder::new().layer(stack()).service(client).oneshot(get).await;
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(end.requests(), 2);
}

/// Returns the number of requests of one call to an overloaded upstream.
async fn requests_per_call(client: Client) -> u64 {
    let origin = origin(Script::Status(503)).await;
    let client = ServiceBuilder::new().layer(stack()).service(client);
    let get = Request::get(url(&origin)).body(String::new()).unwrap();
    assert_eq!(client.oneshot(get).await.unwrap().status(), 503);
    origin.requests()
}

#[tokio::test]
async fn built_client_disables_retries_of_reqwest() {
    let retrying_builder = || {
        let max_two = ::reqwest::retry::for_host("127.0.0.1").max_retries_per_request(2);
        let retry = max_two.no_budget().classify_fn(|exchange| match exchange.status() {
            Some(_) => exchange.retryable(),
            None => exchange.success(),
        });
        builder().retry(retry)
    };
    assert_eq!(requests_per_call(client(retrying_builder())).await, 4);
    // `Client::new` keeps the retries of the wrapped client, which multiply.
    assert_eq!(requests_per_call(Client::new(retrying_builder().build().unwrap())).await, 12);
}

async fn post_error(client: Client, url: &str) -> BoxError {
    let post = Request::post(url).body(String::new()).unwrap();
    let layer: RetryLayer = without_backoff();
    layer.layer(client).oneshot(post).await.unwrap_err()
}

fn classification(error: &BoxError) -> (Cause, Processed, u32) {
    let failure = classify_error(&**error);
    let attempts = find_source::<RetriesExhausted>(&**error).map_or(1, |it| it.attempts().get());
    (failure.cause(), failure.processed(), attempts)
}

/// A resolver that never completes.
struct PendingResolver;

impl Resolve for PendingResolver {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(pending())
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_millis(20);

fn never_connecting() -> ClientBuilder {
    builder().dns_resolver(PendingResolver).connector_layer(TimeoutLayer::new(CONNECT_TIMEOUT))
}

#[tokio::test]
async fn connector_timeout_is_connection_timeout_and_not_processed() {
    let error = post_error(client(never_connecting()), "http://upstream/").await;
    assert_eq!(classification(&error), (Cause::ConnectionTimeout, Processed::No, 4));
    assert_eq!(find_source::<Elapsed>(&*error).unwrap().limit(), CONNECT_TIMEOUT);
}

/// An earlier server may have processed the request and redirected it to the slow one.
#[tokio::test]
async fn connector_timeout_may_be_processed_when_client_follows_redirects() {
    let client = Client::new(never_connecting().build().unwrap());
    let error = post_error(client, "http://upstream/").await;
    assert_eq!(classification(&error), (Cause::ConnectionTimeout, Processed::Maybe, 1));
}

/// Returns a URL with a host name. Its lookup keeps the connector pending at the first poll.
fn url_by_name(origin: &Origin) -> String {
    format!("http://localhost:{}/", origin.addr().port())
}

#[tokio::test]
async fn connector_limit_rejects_call_as_not_processed() {
    let limit = InFlightLimitLayer::new(NonZeroU32::MIN).until_response();
    let client = client(builder().connector_layer(limit));
    let origin = origin(Script::Healthy).await;
    let post = || Request::post(url_by_name(&origin)).body(String::new()).unwrap();
    let mut first = task::spawn(client.clone().oneshot(post()));
    assert_pending!(first.poll());
    let second: BoxError = without_backoff().layer(client).oneshot(post()).await.unwrap_err();
    assert_eq!(classification(&second), (Cause::ConnectionLimitReached, Processed::No, 1));
    assert!(find_source::<LimitReached>(&*second).is_some());
    assert_eq!(first.await.unwrap().status(), 200);
}
