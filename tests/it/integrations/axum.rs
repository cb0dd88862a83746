//! An axum server with layers around a router, its routes and a nested router.

use std::{future::pending, num::NonZeroU32, time::Duration};

use ::axum::{
    Router,
    body::Body,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use scripted_origin::Script;
use seawall::{
    body_timeout::BodyTimeoutLayer, circuit_breaker::CircuitBreakerLayer, deadline::DeadlineLayer,
    error_response::ErrorResponseLayer, in_flight::InFlightLimitLayer, logging::LoggingLayer,
    retry::ReplayBody, standard::StandardLayer, timeout::TimeoutLayer,
};
use tower::{Layer, ServiceBuilder, ServiceExt};

use super::{serve, without_backoff};
use crate::support::sockets::{eventually, hyper_client, origin, url};

const SHORT_TIMEOUT: Duration = Duration::from_millis(50);

/// Returns the status and `Proxy-Status` of the response to a GET.
async fn send_get(addr: std::net::SocketAddr, path: &str) -> (u16, Option<String>) {
    let request = Request::get(format!("http://{addr}{path}")).body(String::new()).unwrap();
    let response = hyper_client().oneshot(request).await.unwrap();
    let proxy_status = response.headers().get("proxy-status");
    (response.status().into(), proxy_status.map(|value| value.to_str().unwrap().to_owned()))
}

fn timeout_response(name: &str) -> (u16, Option<String>) {
    (504, Some(format!("{name};error=http_response_timeout")))
}

fn short_timeout(name: &str) -> (ErrorResponseLayer, TimeoutLayer) {
    (ErrorResponseLayer::new(name), TimeoutLayer::new(SHORT_TIMEOUT))
}

#[tokio::test]
async fn router_layer_covers_fallback_but_route_layer_does_not() {
    let slow = || Router::new().route("/slow", get(pending::<()>)).fallback(pending::<()>);
    let around_all = slow().layer(short_timeout("all"));
    // Without the deadline, the fallback would never respond.
    let around_routes = slow()
        .route_layer(short_timeout("routes"))
        .layer(deadline("rest", Duration::from_millis(200)));
    let all = serve(around_all).await;
    assert_eq!(send_get(all, "/slow").await, timeout_response("all"));
    assert_eq!(send_get(all, "/other").await, timeout_response("all"));
    let routes = serve(around_routes).await;
    assert_eq!(send_get(routes, "/slow").await, timeout_response("routes"));
    assert_eq!(send_get(routes, "/other").await, timeout_response("rest"));
}

fn deadline(name: &str, timeout: Duration) -> (ErrorResponseLayer, DeadlineLayer) {
    (ErrorResponseLayer::new(name), DeadlineLayer::new(timeout))
}

#[tokio::test]
async fn nested_router_applies_own_layers_inside_outer_layers() {
    let inner = Router::new().route("/slow", get(pending::<()>)).layer(short_timeout("inner"));
    let app = Router::new()
        .nest("/nested", inner)
        .route("/slow", get(pending::<()>))
        .layer(deadline("outer", Duration::from_millis(200)));
    let addr = serve(app).await;
    assert_eq!(send_get(addr, "/nested/slow").await, timeout_response("inner"));
    assert_eq!(send_get(addr, "/slow").await, timeout_response("outer"));
    assert_eq!(send_get(addr, "/none").await, (404, None));
}

#[tokio::test]
async fn router_accepts_each_server_layer() {
    let echo = post(async |body: String| body);
    let app = Router::new().route("/", echo).layer(
        ServiceBuilder::new()
            .layer(LoggingLayer::server())
            .layer(ErrorResponseLayer::new("edge"))
            .layer(BodyTimeoutLayer::for_requests())
            .layer(DeadlineLayer::new(10 * SHORT_TIMEOUT))
            .layer(BodyTimeoutLayer::new())
            .layer(CircuitBreakerLayer::new())
            .layer(InFlightLimitLayer::new(NonZeroU32::MIN))
            .layer(TimeoutLayer::new(SHORT_TIMEOUT)),
    );
    let addr = serve(app).await;
    let request = Request::post(format!("http://{addr}/")).body("hi".to_owned()).unwrap();
    let response = hyper_client().oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hi");
}

#[tokio::test]
async fn route_limit_rejects_excess_calls_with_503() {
    let single_call_limit =
        (ErrorResponseLayer::new("shop"), InFlightLimitLayer::new(NonZeroU32::MIN));
    let app = Router::new()
        .route("/busy", get(pending::<()>))
        .route_layer(single_call_limit)
        .route("/free", get(async || "ok"));
    let addr = serve(app).await;
    let busy = tokio::spawn(send_get(addr, "/busy"));
    let rejection = (503, Some("shop;error=connection_limit_reached".to_owned()));
    // Either call may arrive first.
    let other = send_get(addr, "/busy");
    tokio::select! {
        response = busy => assert_eq!(response.unwrap(), rejection),
        response = other => assert_eq!(response, rejection),
    }
    assert_eq!(send_get(addr, "/free").await, (200, None));
}

/// The type of the client, named so that a router's state can contain it.
type Upstream = <StandardLayer as Layer<Client<HttpConnector, ReplayBody<Body>>>>::Service;

#[tokio::test]
async fn handler_returns_error_response_of_stack() {
    let down = origin(Script::Refuse).await;
    let client = ServiceBuilder::new()
        .layer(StandardLayer::gateway("orders").retry(without_backoff()))
        .service(hyper_client());
    let upstream_url = url(&down);
    let order = async move || {
        let request = Request::get(upstream_url).body(Body::empty()).unwrap();
        client.oneshot(request).await
    };
    let addr = serve(Router::new().route("/", get(order))).await;
    let proxy_status = "orders;error=connection_refused".to_owned();
    assert_eq!(send_get(addr, "/").await, (502, Some(proxy_status)));
}

#[tokio::test]
async fn handler_uses_client_from_state() {
    async fn order(State((client, upstream_url)): State<(Upstream, String)>) -> impl IntoResponse {
        let request = Request::get(upstream_url).body(Body::empty()).unwrap();
        // The handler turns an error into a response.
        client.oneshot(request).await.map_err(|error| error.to_string())
    }

    let flaky = origin(Script::Flaky { every: 2 }).await;
    let client: Upstream = ServiceBuilder::new().layer(super::stack()).service(hyper_client());
    let app = Router::new().route("/", get(order)).with_state((client, url(&flaky)));
    let addr = serve(app).await;
    for _ in 0..3 {
        assert_eq!(send_get(addr, "/").await, (200, None));
    }
    assert_eq!(flaky.requests(), 5);
}

#[tokio::test]
async fn disconnected_caller_releases_permit() {
    let limit = InFlightLimitLayer::new(NonZeroU32::MIN);
    let app = Router::new().route("/", get(pending::<()>));
    let addr = serve(app.layer((ErrorResponseLayer::new("shop"), limit.clone()))).await;
    let call = tokio::spawn(send_get(addr, "/"));
    eventually(|| limit.in_flight() == 1).await;
    call.abort();
    eventually(|| limit.in_flight() == 0).await;
}
