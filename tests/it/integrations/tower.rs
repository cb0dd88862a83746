//! tower's layers inside and around the stack.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use http::{Request, Uri, uri::Scheme};
use scripted_origin::{Origin, Script};
use seawall::{
    circuit_breaker::{CircuitBreakerLayer, OpenBehavior},
    find_source,
    retry::{Budget, RetryLayer},
    standard::StandardLayer,
};
use tokio_test::{assert_pending, task};
use tower::{
    ServiceBuilder, ServiceExt,
    balance::p2c::Balance,
    discover::ServiceList,
    limit::RateLimitLayer,
    load::{CompleteOnResponse, PendingRequests},
    load_shed,
};

use super::{stack, without_backoff};
use crate::support::sockets::{eventually, hyper_client, origin, url};

fn get(url: &str) -> Request<String> {
    Request::get(url).body(String::new()).unwrap()
}

#[tokio::test]
async fn stack_works_with_buffers_and_limits_inside_and_around() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let client = ServiceBuilder::new()
        .load_shed()
        .buffer(4)
        .concurrency_limit(2)
        .rate_limit(100, Duration::from_secs(1))
        .layer(stack())
        .load_shed()
        .buffer(4)
        .concurrency_limit(2)
        .rate_limit(100, Duration::from_secs(1))
        .service(hyper_client());
    for _ in 0..3 {
        let response = client.clone().oneshot(get(&url(&origin))).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(origin.requests(), 5);
}

#[tokio::test]
async fn load_shed_around_stack_rejects_call_when_busy() {
    let origin = origin(Script::Silent).await;
    let client = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(1)
        .layer(stack())
        .service(hyper_client());
    let mut busy = task::spawn(client.clone().oneshot(get(&url(&origin))));
    assert_pending!(busy.poll());
    let error = client.oneshot(get(&url(&origin))).await.unwrap_err();
    assert!(error.is::<load_shed::error::Overloaded>());
}

#[tokio::test]
async fn stack_does_not_retry_rejection_of_inner_load_shed() {
    let origin = origin(Script::Silent).await;
    let client = ServiceBuilder::new()
        .layer(stack())
        .load_shed()
        .concurrency_limit(1)
        .service(hyper_client());
    let mut busy = task::spawn(client.clone().oneshot(get(&url(&origin))));
    assert_pending!(busy.poll());
    let error = client.oneshot(get(&url(&origin))).await.unwrap_err();
    assert!(find_source::<load_shed::error::Overloaded>(&*error).is_some());
    assert!(find_source::<seawall::retry::RetriesExhausted>(&*error).is_none());
    drop(busy);
}

/// The limit applies to attempts, so a call that waits for its retry holds no permit.
#[tokio::test]
async fn inner_concurrency_limit_releases_permit_between_attempts() {
    let origin = origin(Script::Once(503, "retry-after: 1\r\n")).await;
    let client = ServiceBuilder::new().layer(stack()).concurrency_limit(1).service(hyper_client());
    let waiting = tokio::spawn(client.clone().oneshot(get(&url(&origin))));
    eventually(|| origin.requests() == 1).await;
    assert_eq!(client.oneshot(get(&url(&origin))).await.unwrap().status(), 200);
    assert!(!waiting.is_finished());
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

fn forward_to<B>(upstream: SocketAddr, mut request: Request<B>) -> Request<B> {
    let mut uri = request.uri().clone().into_parts();
    (uri.scheme, uri.authority) = (Some(Scheme::HTTP), upstream.to_string().parse().ok());
    *request.uri_mut() = Uri::from_parts(uri).unwrap();
    request
}

#[tokio::test]
async fn inner_balancer_skips_failed_instance() {
    let mut servers = Vec::new();
    for script in [Script::Healthy, Script::ReadClose, Script::Healthy] {
        servers.push(origin(script).await);
    }
    let pool = hyper_client();
    let instances = servers.iter().map(|server: &Origin| {
        let upstream = server.addr();
        let breaker = CircuitBreakerLayer::new()
            .consecutive_failures(NonZeroU32::new(2).unwrap())
            .open_behavior(OpenBehavior::Backpressure);
        let instance = ServiceBuilder::new()
            .layer(breaker)
            .map_request(move |request| forward_to(upstream, request))
            .service(pool.clone());
        PendingRequests::new(instance, CompleteOnResponse::default())
    });
    let retry: RetryLayer = without_backoff().budget(Budget::none()).retry_rejections(true);
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("orders").without_circuit_breaker().retry(retry))
        .buffer(8)
        .service(Balance::new(ServiceList::new(instances.collect::<Vec<_>>())));
    for _ in 0..100 {
        let response = client.clone().oneshot(get("http://orders/")).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(servers[1].requests(), 2);
    assert_eq!(servers[0].requests() + servers[2].requests(), 100);
}

#[tokio::test]
async fn outer_balancer_accepts_stacks_as_instances() {
    let servers =
        [origin(Script::Flaky { every: 4 }).await, origin(Script::Flaky { every: 4 }).await];
    let instances = servers.each_ref().map(|server| {
        let upstream = server.addr();
        let retry: RetryLayer = without_backoff().budget(Budget::none());
        let stack = ServiceBuilder::new()
            .layer(StandardLayer::new("order").retry(retry))
            .map_request(move |request| forward_to(upstream, request))
            .service(hyper_client());
        PendingRequests::new(stack, CompleteOnResponse::default())
    });
    let client = ServiceBuilder::new()
        .buffer(8)
        .service(Balance::new(ServiceList::new(Vec::from(instances))));
    for _ in 0..20 {
        let response = client.clone().oneshot(get("http://orders/")).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn buffered_rate_limit_works_inside_stack() {
    let origin = origin(Script::Healthy).await;
    let limit = RateLimitLayer::new(1, Duration::from_secs(60));
    let client =
        ServiceBuilder::new().layer(stack()).buffer(1).layer(limit).service(hyper_client());
    assert_eq!(client.clone().oneshot(get(&url(&origin))).await.unwrap().status(), 200);
    // The second call waits for the limit.
    let mut second = task::spawn(client.oneshot(get(&url(&origin))));
    assert_pending!(second.poll());
    assert_eq!(origin.requests(), 1);
}
