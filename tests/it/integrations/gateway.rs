//! An axum gateway whose upstreams stand behind the stack.

use std::{convert::Infallible, net::SocketAddr};

use ::axum::{Router, body::Body};
use http::{Request, Response, Uri, Version, header::HOST, uri::Scheme};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use scripted_origin::Script;
use seawall::{
    circuit_breaker::{CircuitBreakerLayer, State},
    standard::{Gateway, StandardLayer},
};
use tower::{Service, ServiceBuilder, ServiceExt};

use super::{eager, serve};
use crate::support::sockets::{channel, eventually, full, hyper, origin, read, request};

/// As far as these tests go; hop-by-hop headers would have to go as well.
fn send_to<B>(to: SocketAddr, mut request: Request<B>) -> Request<B> {
    let mut uri = request.uri().clone().into_parts();
    (uri.scheme, uri.authority) = (Some(Scheme::HTTP), to.to_string().parse().ok());
    *request.uri_mut() = Uri::from_parts(uri).unwrap();
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(HOST);
    request
}

type Layer = StandardLayer<
    seawall::classify::HttpClassifier,
    seawall::retry::HttpCallAdapter,
    seawall::standard::ByAuthority,
    Gateway,
>;

fn layer(name: &str) -> Layer {
    StandardLayer::gateway(name).retry(eager())
}

fn upstream(
    layer: Layer,
    to: SocketAddr,
) -> impl Service<
    Request<Body>,
    Response = Response<
        impl http_body::Body<Data = bytes::Bytes, Error: Into<seawall::BoxError>> + Send,
    >,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ Sync
+ 'static {
    ServiceBuilder::new()
        .layer(layer)
        .map_request(move |request| send_to(to, request))
        .service(hyper())
}

async fn ask(addr: SocketAddr, path: &str) -> u16 {
    let get = Request::get(format!("http://{addr}{path}")).body(String::new()).unwrap();
    hyper().oneshot(get).await.unwrap().status().into()
}

#[tokio::test]
async fn an_upstream_goes_in_as_a_route_a_nested_service_and_a_fallback() {
    let [exact, nested, rest] = [
        origin(Script::Healthy).await,
        origin(Script::Healthy).await,
        origin(Script::Healthy).await,
    ];
    let app = Router::new()
        .route_service("/exact", upstream(layer("exact"), exact.addr()))
        .nest_service("/nested", upstream(layer("nested"), nested.addr()))
        .fallback_service(upstream(layer("rest"), rest.addr()));
    let addr = serve(app).await;
    for path in ["/exact?a=1", "/nested/deep?b=2", "/other/path?c=3"] {
        assert_eq!(ask(addr, path).await, 200);
    }
    for (origin, line) in
        [(&exact, "GET /exact?a=1 "), (&nested, "GET /deep?b=2 "), (&rest, "GET /other/path?c=3 ")]
    {
        let received = origin.received();
        assert_eq!(received.len(), 1, "{line}");
        assert!(received[0].head.starts_with(line), "{}", received[0].head);
    }
}

#[tokio::test]
async fn an_upstream_that_is_down_leaves_the_others_alone() {
    let (down, healthy) = (origin(Script::Refuse).await, origin(Script::Healthy).await);
    let breaker = CircuitBreakerLayer::new().consecutive_failures(std::num::NonZeroU32::new(4));
    let down_layer = layer("down").circuit_breaker(breaker.clone());
    let healthy_layer = layer("healthy").circuit_breaker(breaker);
    let app = Router::new()
        .nest_service("/down", upstream(down_layer.clone(), down.addr()))
        .fallback_service(upstream(healthy_layer.clone(), healthy.addr()));
    let addr = serve(app).await;
    assert_eq!(ask(addr, "/down").await, 502);
    assert_eq!(ask(addr, "/down").await, 503);
    assert_eq!(ask(addr, "/").await, 200);
    // The URL becomes the upstream's inside, so the key is the stack's name.
    let state = |layer: &Layer, key| layer.circuits().get(key).unwrap().state();
    assert_eq!(state(&down_layer, "down"), State::Open);
    assert_eq!(state(&healthy_layer, "healthy"), State::Closed);
}

#[tokio::test]
async fn a_body_is_passed_on_as_it_comes() {
    let origin = origin(Script::EarlyStatus(200)).await;
    let addr = serve(Router::new().fallback_service(upstream(layer("edge"), origin.addr()))).await;
    let (sender, body) = channel();
    sender.send("first, ".into()).unwrap();
    // The head is answered before the body has ended.
    let response =
        hyper().oneshot(request("POST", &format!("http://{addr}/"), body)).await.unwrap();
    assert_eq!(response.status(), 200);
    sender.send("last".into()).unwrap();
    drop(sender);
    eventually(|| origin.received().len() == 1).await;
    assert_eq!(origin.received()[0].body, b"first, last");
    read(response).await.unwrap();
}

#[tokio::test]
async fn a_caller_by_http_2_reaches_an_upstream_by_http_1() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let addr = serve(Router::new().fallback_service(upstream(layer("edge"), origin.addr()))).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    for _ in 0..2 {
        let call = client.request(request("PUT", &format!("http://{addr}/"), full(b"hi")));
        let response = call.await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    assert_eq!(origin.requests(), 3);
}
