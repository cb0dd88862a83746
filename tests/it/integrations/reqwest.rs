//! reqwest: its client in the stack, and layers around its connector.

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
    BoxError, Cause, Processed,
    classify::classify_error,
    find_source,
    in_flight::{InFlightLimitLayer, LimitReached},
    reqwest::Client,
    retry::{RetriesExhausted, RetryLayer},
    standard::StandardLayer,
    timeout::{Elapsed, TimeoutLayer},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceBuilder, ServiceExt};

use super::{app, eager, serve, stack};
use crate::support::sockets::{channel, full, hyper, origin, read, request, url};

fn builder() -> ClientBuilder {
    ::reqwest::Client::builder().no_proxy()
}

fn client(builder: ClientBuilder) -> Client {
    Client::build(builder).unwrap()
}

#[tokio::test]
async fn each_attempt_sends_the_same_body_with_its_length() {
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
async fn a_get_without_a_body_announces_none() {
    let origin = origin(Script::Healthy).await;
    let client = ServiceBuilder::new().layer(stack()).service(client(builder()));
    let get = Request::get(url(&origin)).body(String::new()).unwrap();
    client.oneshot(get).await.unwrap();
    let head = &origin.received()[0].head;
    assert!(!head.contains("transfer-encoding"), "{head}");
}

/// axum's body is not `Sync`, which reqwest asks for.
#[tokio::test]
async fn it_is_the_upstream_of_an_axum_gateway() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let to: http::Uri = url(&origin).parse().unwrap();
    let upstream = ServiceBuilder::new()
        .layer(StandardLayer::gateway("edge").retry(eager()))
        .map_request(move |request| to_uri(&to, request))
        .service(client(builder()));
    let addr = serve(Router::new().fallback_service(upstream)).await;
    for _ in 0..2 {
        let put = request("PUT", &format!("http://{addr}/"), full(b"hello"));
        let response = hyper().oneshot(put).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(read(response).await.unwrap(), "ok");
    }
    assert_eq!(origin.requests(), 3);
    assert!(origin.received().iter().all(|request| request.body == b"hello"));
}

fn to_uri<B>(to: &http::Uri, mut request: Request<B>) -> Request<B> {
    request.uri_mut().clone_from(to);
    request.headers_mut().remove("host");
    request
}

#[tokio::test]
async fn a_body_that_streams_is_sent_as_it_comes() {
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

/// One that is wrapped as it was built follows what it can send again.
#[tokio::test]
async fn redirects_of_requests_without_a_body_are_followed_by_a_client_that_does() {
    let end = origin(Script::Healthy).await;
    for redirect in [Redirect::to, Redirect::permanent] {
        let (app, _) = app({
            let to = url(&end);
            move |_, _| redirect(&to)
        });
        let from = format!("http://{}/", serve(app).await);
        let client = Client::new(builder().build().unwrap());
        let get = Request::get(from).body(String::new()).unwrap();
        let response = ServiceBuilder::new().layer(stack()).service(client).oneshot(get).await;
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(end.requests(), 2);
}

/// How many requests a call takes of an upstream that is overloaded.
async fn requests(client: Client) -> u64 {
    let origin = origin(Script::Status(503)).await;
    let client = ServiceBuilder::new().layer(stack()).service(client);
    let get = Request::get(url(&origin)).body(String::new()).unwrap();
    assert_eq!(client.oneshot(get).await.unwrap().status(), 503);
    origin.requests()
}

#[tokio::test]
async fn a_retry_inside_reqwest_is_switched_off() {
    let own = || {
        let twice = ::reqwest::retry::for_host("127.0.0.1").max_retries_per_request(2);
        let retry = twice.no_budget().classify_fn(|exchange| match exchange.status() {
            Some(_) => exchange.retryable(),
            None => exchange.success(),
        });
        builder().retry(retry)
    };
    assert_eq!(requests(client(own())).await, 4);
    // A client as it was built keeps it, and multiplies.
    assert_eq!(requests(Client::new(own().build().unwrap())).await, 12);
}

async fn error(client: Client, url: &str) -> BoxError {
    let post = Request::post(url).body(String::new()).unwrap();
    let layer: RetryLayer = eager();
    layer.layer(client).oneshot(post).await.unwrap_err()
}

fn told(error: &BoxError) -> (Cause, Processed, u32) {
    let failure = classify_error(&**error);
    let attempts = find_source::<RetriesExhausted>(&**error).map_or(1, |it| it.attempts().get());
    (failure.cause(), failure.processed(), attempts)
}

/// Never finds an address.
struct Stuck;

impl Resolve for Stuck {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(pending())
    }
}

const LIMIT: Duration = Duration::from_millis(20);

fn slow_to_connect() -> ClientBuilder {
    builder().dns_resolver(Stuck).connector_layer(TimeoutLayer::new(LIMIT))
}

#[tokio::test]
async fn a_timeout_around_the_connector_is_one_of_connecting_and_proves_that_nothing_was_sent() {
    let error = error(client(slow_to_connect()), "http://upstream/").await;
    assert_eq!(told(&error), (Cause::ConnectionTimeout, Processed::No, 4));
    assert_eq!(find_source::<Elapsed>(&*error).unwrap().limit(), LIMIT);
}

/// An earlier server may have answered, and the connection to where it redirected have been too slow.
#[tokio::test]
async fn where_reqwest_follows_redirects_a_timeout_around_the_connector_proves_nothing() {
    let client = Client::new(slow_to_connect().build().unwrap());
    let error = error(client, "http://upstream/").await;
    assert_eq!(told(&error), (Cause::ConnectionTimeout, Processed::Maybe, 1));
}

/// By name, so that connecting takes at least a look-up, which is never done at once.
fn by_name(origin: &Origin) -> String {
    format!("http://localhost:{}/", origin.addr().port())
}

#[tokio::test]
async fn a_limit_around_the_connector_refuses_what_was_never_sent() {
    let limit = InFlightLimitLayer::new(NonZeroU32::MIN).until_response();
    let client = client(builder().connector_layer(limit));
    let origin = origin(Script::Healthy).await;
    let post = || Request::post(by_name(&origin)).body(String::new()).unwrap();
    let mut first = task::spawn(client.clone().oneshot(post()));
    assert_pending!(first.poll());
    let second: BoxError = eager().layer(client).oneshot(post()).await.unwrap_err();
    assert_eq!(told(&second), (Cause::ConnectionLimitReached, Processed::No, 1));
    assert!(find_source::<LimitReached>(&*second).is_some());
    assert_eq!(first.await.unwrap().status(), 200);
}
