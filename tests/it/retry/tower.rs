//! `RetryLayer` with layers of tower: concurrency limits, buffers, load shedding and balancers.

use std::time::Duration;

use http::Request;
use seawall::{
    find_source,
    retry::{Backoff, Budget, ReplayBody, RetryLayer},
    test_util::Step,
};
use tokio_test::{assert_pending, task};
use tower::{
    Service, ServiceBuilder, ServiceExt, balance::p2c::Balance, buffer::Buffer,
    discover::ServiceList, load::Constant, load_shed,
};

use super::{Body, immediate_with_budget};
use crate::support::{get, respond_with, upstream};

#[tokio::test(start_paused = true)]
async fn buffer_and_concurrency_limit_work_inside_and_outside() {
    for _ in 0..3 {
        let script = respond_with(&[502, 502, 200, 502, 200]);
        let service = ServiceBuilder::new()
            .buffer(4)
            .concurrency_limit(1)
            .layer(immediate_with_budget())
            .buffer(4)
            .concurrency_limit(1)
            .service(script.clone());
        for _ in 0..2 {
            let response = service.clone().oneshot(get()).await.unwrap();
            assert_eq!(response.status(), 200);
        }
        assert_eq!(script.requests(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_releases_permit_during_delay() {
    let script = respond_with(&[502, 200, 200]);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new().backoff(Backoff::constant(Duration::from_secs(5))))
        .concurrency_limit(1)
        .service(script.clone());
    let mut waiting = task::spawn(service.clone().oneshot(get()));
    assert_pending!(waiting.poll());
    // Another call gets the permit while the first one waits for its retry.
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_pending!(waiting.poll());
    assert_eq!(waiting.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn outer_load_shed_rejects_call_when_inner_is_not_ready() {
    let inner = upstream([Step::silent(), Step::status(502), Step::status(200)]);
    let service = ServiceBuilder::new()
        .load_shed()
        .layer(immediate_with_budget())
        .concurrency_limit(1)
        .service(inner.clone());
    let mut busy = task::spawn(service.clone().oneshot(get()));
    assert_pending!(busy.poll());
    // The clone shares the only permit, which is in use.
    let error = service.clone().oneshot(get()).await.unwrap_err();
    assert!(error.is::<load_shed::error::Overloaded>());
    drop(busy);
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(inner.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_returns_rejection_of_inner_load_shed() {
    let inner = upstream(Step::silent());
    let service = ServiceBuilder::new()
        .layer(immediate_with_budget())
        .load_shed()
        .concurrency_limit(1)
        .service(inner.clone());
    let mut busy = task::spawn(service.clone().oneshot(get()));
    assert_pending!(busy.poll());
    let error = service.oneshot(get()).await.unwrap_err();
    assert!(find_source::<load_shed::error::Overloaded>(&*error).is_some());
    assert_eq!(inner.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_through_inner_balancer_reaches_other_instance() {
    let instances = [502, 200, 502].map(|status| Constant::new(upstream(Step::status(status)), 1));
    let balance = Balance::new(ServiceList::new::<Request<ReplayBody<Body>>>(Vec::from(instances)));
    let service = ServiceBuilder::new()
        // The balancer picks instances at random, so the number of attempts is unbounded.
        .layer(immediate_with_budget().without_max_retries().budget(Budget::none()))
        .service(Buffer::new(balance, 8));
    for _ in 0..100 {
        assert_eq!(service.clone().oneshot(get()).await.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn outer_balancer_accepts_instances_with_retry() {
    let scripts = [respond_with(&[502, 200].repeat(20)), respond_with(&[502, 200].repeat(20))];
    let layer = immediate_with_budget().budget(Budget::none());
    let instances = scripts
        .clone()
        .map(|script| Constant::new(ServiceBuilder::new().layer(layer.clone()).service(script), 1));
    let mut balance = Balance::new(ServiceList::new::<Request<Body>>(Vec::from(instances)));
    for _ in 0..20 {
        let ready = ServiceExt::<Request<Body>>::ready(&mut balance).await.unwrap();
        assert_eq!(ready.call(get()).await.unwrap().status(), 200);
    }
    assert_eq!(scripts.map(|script| script.requests()).iter().sum::<u64>(), 40);
}

#[tokio::test(start_paused = true)]
async fn call_dropped_while_awaiting_readiness_holds_no_permit() {
    let script = upstream([Step::status(502), Step::silent(), Step::status(200)]);
    let wait = Duration::from_secs(5);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new().backoff(Backoff::constant(wait)))
        .concurrency_limit(1)
        .service(script.clone());
    let mut waiting = task::spawn(service.clone().oneshot(get()));
    assert_pending!(waiting.poll());
    let mut busy = task::spawn(service.clone().oneshot(get()));
    assert_pending!(busy.poll());
    tokio::time::advance(2 * wait).await;
    // The delay has elapsed, but the only permit is in use.
    assert_pending!(waiting.poll());
    drop(waiting);
    drop(busy);
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(script.requests(), 3);
}
