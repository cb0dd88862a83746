//! An axum server: layers around a router, around its routes, and around a nested one.

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

use super::{eager, serve};
use crate::support::sockets::{eventually, hyper, origin, url};

const SHORT: Duration = Duration::from_millis(50);

/// The status and `Proxy-Status` of the answer to a GET.
async fn ask(addr: std::net::SocketAddr, path: &str) -> (u16, Option<String>) {
    let request = Request::get(format!("http://{addr}{path}")).body(String::new()).unwrap();
    let response = hyper().oneshot(request).await.unwrap();
    let proxy_status = response.headers().get("proxy-status");
    (response.status().into(), proxy_status.map(|value| value.to_str().unwrap().to_owned()))
}

fn timeout(name: &str) -> (u16, Option<String>) {
    (504, Some(format!("{name};error=http_response_timeout")))
}

fn limit(name: &str) -> (ErrorResponseLayer, TimeoutLayer) {
    (ErrorResponseLayer::new(name), TimeoutLayer::new(SHORT))
}

#[tokio::test]
async fn a_layer_around_a_router_is_around_its_fallback_too_and_one_around_routes_is_not() {
    let slow = || Router::new().route("/slow", get(pending::<()>)).fallback(pending::<()>);
    let around_all = slow().layer(limit("all"));
    // The fallback would never answer.
    let around_routes =
        slow().route_layer(limit("routes")).layer(limit_of("rest", Duration::from_millis(200)));
    let all = serve(around_all).await;
    assert_eq!(ask(all, "/slow").await, timeout("all"));
    assert_eq!(ask(all, "/other").await, timeout("all"));
    let routes = serve(around_routes).await;
    assert_eq!(ask(routes, "/slow").await, timeout("routes"));
    assert_eq!(ask(routes, "/other").await, timeout("rest"));
}

fn limit_of(name: &str, limit: Duration) -> (ErrorResponseLayer, DeadlineLayer) {
    (ErrorResponseLayer::new(name), DeadlineLayer::new(limit))
}

#[tokio::test]
async fn a_nested_router_has_layers_of_its_own_inside_those_of_the_outer_one() {
    let inner = Router::new().route("/slow", get(pending::<()>)).layer(limit("inner"));
    let app = Router::new()
        .nest("/nested", inner)
        .route("/slow", get(pending::<()>))
        .layer(limit_of("outer", Duration::from_millis(200)));
    let addr = serve(app).await;
    assert_eq!(ask(addr, "/nested/slow").await, timeout("inner"));
    assert_eq!(ask(addr, "/slow").await, timeout("outer"));
    assert_eq!(ask(addr, "/none").await, (404, None));
}

#[tokio::test]
async fn every_server_layer_goes_onto_a_router_by_itself() {
    let echo = post(async |body: String| body);
    let app = Router::new().route("/", echo).layer(
        ServiceBuilder::new()
            .layer(LoggingLayer::server())
            .layer(ErrorResponseLayer::new("edge"))
            .layer(BodyTimeoutLayer::for_requests())
            .layer(DeadlineLayer::new(10 * SHORT))
            .layer(BodyTimeoutLayer::new())
            .layer(CircuitBreakerLayer::new())
            .layer(InFlightLimitLayer::new(NonZeroU32::MIN))
            .layer(TimeoutLayer::new(SHORT)),
    );
    let addr = serve(app).await;
    let request = Request::post(format!("http://{addr}/")).body("hi".to_owned()).unwrap();
    let response = hyper().oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hi");
}

#[tokio::test]
async fn calls_beyond_a_limit_of_a_route_are_answered_503_and_the_others_served() {
    let one = (ErrorResponseLayer::new("shop"), InFlightLimitLayer::new(NonZeroU32::MIN));
    let app = Router::new()
        .route("/busy", get(pending::<()>))
        .route_layer(one)
        .route("/free", get(async || "ok"));
    let addr = serve(app).await;
    let busy = tokio::spawn(ask(addr, "/busy"));
    let refused = (503, Some("shop;error=connection_limit_reached".to_owned()));
    // The first may come second.
    let second = ask(addr, "/busy");
    tokio::select! {
        answer = busy => assert_eq!(answer.unwrap(), refused),
        answer = second => assert_eq!(answer, refused),
    }
    assert_eq!(ask(addr, "/free").await, (200, None));
}

/// A client in a router's state has a name.
type Upstream = <StandardLayer as Layer<Client<HttpConnector, ReplayBody<Body>>>>::Service;

#[tokio::test]
async fn a_handler_passes_on_what_the_stack_answers_for_its_upstream() {
    let down = origin(Script::Refuse).await;
    let client = ServiceBuilder::new()
        .layer(StandardLayer::gateway("orders").retry(eager()))
        .service(hyper());
    let to = url(&down);
    let order = async move || {
        let request = Request::get(to).body(Body::empty()).unwrap();
        client.oneshot(request).await
    };
    let addr = serve(Router::new().route("/", get(order))).await;
    let refused = "orders;error=connection_refused".to_owned();
    assert_eq!(ask(addr, "/").await, (502, Some(refused)));
}

#[tokio::test]
async fn a_handler_takes_a_client_from_the_state() {
    async fn order(State((client, to)): State<(Upstream, String)>) -> impl IntoResponse {
        let request = Request::get(to).body(Body::empty()).unwrap();
        // An error is the handler's own to answer.
        client.oneshot(request).await.map_err(|error| error.to_string())
    }

    let flaky = origin(Script::Flaky { every: 2 }).await;
    let client: Upstream = ServiceBuilder::new().layer(super::stack()).service(hyper());
    let app = Router::new().route("/", get(order)).with_state((client, url(&flaky)));
    let addr = serve(app).await;
    for _ in 0..3 {
        assert_eq!(ask(addr, "/").await, (200, None));
    }
    assert_eq!(flaky.requests(), 5);
}

#[tokio::test]
async fn a_caller_that_hangs_up_frees_its_place() {
    let limit = InFlightLimitLayer::new(NonZeroU32::MIN);
    let app = Router::new().route("/", get(pending::<()>));
    let addr = serve(app.layer((ErrorResponseLayer::new("shop"), limit.clone()))).await;
    let call = tokio::spawn(ask(addr, "/"));
    eventually(|| limit.in_flight() == 1).await;
    call.abort();
    eventually(|| limit.in_flight() == 0).await;
}
