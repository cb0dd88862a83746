//! An axum gateway with a stack per upstream.

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

use super::{serve, without_backoff};
use crate::support::sockets::{channel, eventually, full, hyper_client, origin, read, request};

/// Rewrites `request` for the upstream. A real gateway also removes hop-by-hop headers.
fn forward_to<B>(upstream: SocketAddr, mut request: Request<B>) -> Request<B> {
    let mut uri = request.uri().clone().into_parts();
    (uri.scheme, uri.authority) = (Some(Scheme::HTTP), upstream.to_string().parse().ok());
    *request.uri_mut() = Uri::from_parts(uri).unwrap();
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(HOST);
    request
}

type GatewayStack =
    StandardLayer<seawall::classify::HttpClassifier, seawall::retry::HttpCallAdapter, Gateway>;

fn gateway_stack(name: &str) -> GatewayStack {
    StandardLayer::gateway(name).retry(without_backoff())
}

fn upstream_service(
    layer: GatewayStack,
    upstream: SocketAddr,
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
        .map_request(move |request| forward_to(upstream, request))
        .service(hyper_client())
}

async fn status_of_get(addr: SocketAddr, path: &str) -> u16 {
    let get = Request::get(format!("http://{addr}{path}")).body(String::new()).unwrap();
    hyper_client().oneshot(get).await.unwrap().status().into()
}

#[tokio::test]
async fn router_accepts_upstream_as_route_nested_service_and_fallback() {
    let [exact, nested, rest] = [
        origin(Script::Healthy).await,
        origin(Script::Healthy).await,
        origin(Script::Healthy).await,
    ];
    let app = Router::new()
        .route_service("/exact", upstream_service(gateway_stack("exact"), exact.addr()))
        .nest_service("/nested", upstream_service(gateway_stack("nested"), nested.addr()))
        .fallback_service(upstream_service(gateway_stack("rest"), rest.addr()));
    let addr = serve(app).await;
    for path in ["/exact?a=1", "/nested/deep?b=2", "/other/path?c=3"] {
        assert_eq!(status_of_get(addr, path).await, 200);
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
async fn failed_upstream_does_not_affect_other_upstreams() {
    let (down, healthy) = (origin(Script::Refuse).await, origin(Script::Healthy).await);
    let breaker =
        CircuitBreakerLayer::new().consecutive_failures(std::num::NonZeroU32::new(4).unwrap());
    let down_layer = gateway_stack("down").circuit_breaker(breaker.clone());
    let healthy_layer = gateway_stack("healthy").circuit_breaker(breaker);
    let app = Router::new()
        .nest_service("/down", upstream_service(down_layer.clone(), down.addr()))
        .fallback_service(upstream_service(healthy_layer.clone(), healthy.addr()));
    let addr = serve(app).await;
    assert_eq!(status_of_get(addr, "/down").await, 502);
    assert_eq!(status_of_get(addr, "/down").await, 503);
    assert_eq!(status_of_get(addr, "/").await, 200);
    // The stack sees the URL before it is rewritten, so the key is the name of the stack.
    let state = |layer: &GatewayStack, key| layer.circuits().get(key).unwrap().state();
    assert_eq!(state(&down_layer, "down"), State::Open);
    assert_eq!(state(&healthy_layer, "healthy"), State::Closed);
}

#[tokio::test]
async fn gateway_streams_request_body() {
    let origin = origin(Script::EarlyStatus(200)).await;
    let addr = serve(
        Router::new().fallback_service(upstream_service(gateway_stack("edge"), origin.addr())),
    )
    .await;
    let (sender, body) = channel();
    sender.send("first, ".into()).unwrap();
    // The response arrives before the request body has ended.
    let response =
        hyper_client().oneshot(request("POST", &format!("http://{addr}/"), body)).await.unwrap();
    assert_eq!(response.status(), 200);
    sender.send("last".into()).unwrap();
    drop(sender);
    eventually(|| origin.received().len() == 1).await;
    assert_eq!(origin.received()[0].body, b"first, last");
    read(response).await.unwrap();
}

#[tokio::test]
async fn gateway_forwards_http_2_request_over_http_1() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let addr = serve(
        Router::new().fallback_service(upstream_service(gateway_stack("edge"), origin.addr())),
    )
    .await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    for _ in 0..2 {
        let call = client.request(request("PUT", &format!("http://{addr}/"), full(b"hi")));
        let response = call.await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    assert_eq!(origin.requests(), 3);
}
