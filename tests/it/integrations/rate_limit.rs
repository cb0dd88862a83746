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

use super::{eager, serve, stack};
use crate::{
    log_capture::Recorder,
    support::sockets::{origin, url},
};

/// Two calls at once for each client, and another each minute.
async fn gateway(origin: &Origin) -> SocketAddr {
    let limit = GovernorConfigBuilder::default().per_second(60).burst_size(2).finish().unwrap();
    let to: http::Uri = url(origin).parse().unwrap();
    let upstream = ServiceBuilder::new()
        .layer(StandardLayer::gateway("edge").retry(eager()).access_log(None))
        .map_request(move |request| send_to(to.clone(), request))
        .service(crate::support::sockets::hyper());
    let limit = GovernorLayer::new(limit);
    serve(Router::new().fallback_service(upstream).layer((LoggingLayer::server(), limit))).await
}

fn send_to<B>(to: http::Uri, mut request: Request<B>) -> Request<B> {
    *request.uri_mut() = to;
    request
}

/// As somebody at 127.0.0.`last`.
async fn ask(addr: SocketAddr, last: u8) -> Response<Incoming> {
    let mut connector = HttpConnector::new();
    connector.set_local_address(Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))));
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(format!("http://{addr}/")).body(String::new()).unwrap();
    client.request(request).await.unwrap()
}

#[tokio::test]
async fn each_client_has_its_own_limit_and_what_is_refused_reaches_no_upstream() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let addr = gateway(&origin).await;
    for (client, expected) in [(1, 200), (1, 200), (1, 429), (2, 200), (1, 429), (2, 200), (2, 429)]
    {
        let response = ask(addr, client).await;
        assert_eq!(response.status(), expected);
        assert_eq!(response.headers().contains_key("retry-after"), expected == 429);
    }
    // Retries are not counted by a limit in front.
    assert_eq!(origin.requests(), 7);
}

#[tokio::test]
async fn a_log_around_the_limit_has_a_line_for_what_is_refused() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let origin = origin(Script::Healthy).await;
    let addr = gateway(&origin).await;
    for _ in 0..3 {
        http_body_util::BodyExt::collect(ask(addr, 1).await.into_body()).await.unwrap();
    }
    let statuses: Vec<_> = recorder
        .lines()
        .iter()
        .map(|line| line.get("http.response.status_code").unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["200", "200", "429"]);
}

/// It asks to wait for a minute, which nobody does: the answer is the caller's at once.
#[tokio::test]
async fn a_stack_before_such_a_limit_does_not_come_back_before_its_time() {
    let origin = origin(Script::Healthy).await;
    let addr = gateway(&origin).await;
    let client = ServiceBuilder::new().layer(stack()).service(crate::support::sockets::hyper());
    let request = || Request::get(format!("http://{addr}/")).body(String::new()).unwrap();
    for _ in 0..2 {
        assert_eq!(client.clone().oneshot(request()).await.unwrap().status(), 200);
    }
    let response = client.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), 429);
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(attempts.stop_reason(), Some(seawall::retry::StopReason::WaitTooLong));
    assert_eq!(origin.requests(), 2);
}
