//! `tower_governor` in front of a gateway.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ::axum::Router;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use scripted_origin::{Origin, Script};
use seawall::{logging::LoggingLayer, retry::RetryReport, standard::StandardLayer};
use tower::{ServiceBuilder, ServiceExt};
use tower_governor::{GovernorLayer, governor::GovernorConfigBuilder};
use tracing::level_filters::LevelFilter;

use super::{serve, stack, without_backoff};
use crate::{
    log_capture::Recorder,
    support::sockets::{origin, url},
};

/// Starts a gateway that allows each client two calls at once, and one more per minute.
async fn gateway(origin: &Origin) -> SocketAddr {
    let limit = GovernorConfigBuilder::default().per_second(60).burst_size(2).finish().unwrap();
    let upstream_uri: http::Uri = url(origin).parse().unwrap();
    let upstream = ServiceBuilder::new()
        .layer(StandardLayer::gateway("edge").retry(without_backoff()).without_access_log())
        .map_request(move |request| forward_to(upstream_uri.clone(), request))
        .service(crate::support::sockets::hyper_client());
    let limit = GovernorLayer::new(limit);
    serve(Router::new().fallback_service(upstream).layer((LoggingLayer::server(), limit))).await
}

fn forward_to<B>(upstream: http::Uri, mut request: Request<B>) -> Request<B> {
    *request.uri_mut() = upstream;
    request
}

/// Sends a GET from the client address 127.0.0.`last_octet`.
async fn send_from(addr: SocketAddr, last_octet: u8) -> Response<Incoming> {
    let mut connector = HttpConnector::new();
    connector.set_local_address(Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last_octet))));
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(format!("http://{addr}/")).body(String::new()).unwrap();
    client.request(request).await.unwrap()
}

#[tokio::test]
async fn rate_limit_rejects_excess_calls_of_each_client() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let addr = gateway(&origin).await;
    for (client, expected) in [(1, 200), (1, 200), (1, 429), (2, 200), (1, 429), (2, 200), (2, 429)]
    {
        let response = send_from(addr, client).await;
        assert_eq!(response.status(), expected);
        assert_eq!(response.headers().contains_key("retry-after"), expected == 429);
    }
    // The limit is outside the stack and does not count retries.
    assert_eq!(origin.requests(), 7);
}

#[tokio::test]
async fn logging_layer_around_rate_limit_emits_event_of_rejection() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let origin = origin(Script::Healthy).await;
    let addr = gateway(&origin).await;
    for _ in 0..3 {
        http_body_util::BodyExt::collect(send_from(addr, 1).await.into_body()).await.unwrap();
    }
    let statuses: Vec<_> = recorder
        .lines()
        .iter()
        .map(|line| line.get("http.response.status_code").unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["200", "200", "429"]);
}

/// The response has a `Retry-After` of a minute, which exceeds the maximum wait of the stack.
#[tokio::test]
async fn stack_does_not_retry_when_retry_after_is_too_long() {
    let origin = origin(Script::Healthy).await;
    let addr = gateway(&origin).await;
    let client =
        ServiceBuilder::new().layer(stack()).service(crate::support::sockets::hyper_client());
    let request = || Request::get(format!("http://{addr}/")).body(String::new()).unwrap();
    for _ in 0..2 {
        assert_eq!(client.clone().oneshot(request()).await.unwrap().status(), 200);
    }
    let response = client.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), 429);
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.stop_reason(), Some(seawall::retry::StopReason::WaitTooLong));
    assert_eq!(origin.requests(), 2);
}
