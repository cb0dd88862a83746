//! With the layers of the tower crate.

use seawall::{circuit_breaker::OpenBehavior, test_util::FlakyBody};
use tower::{
    Service,
    balance::p2c::Balance,
    discover::ServiceList,
    load::{CompleteOnResponse, PendingRequests},
};

use super::{upstream::Body, *};

type Instance = seawall::circuit_breaker::CircuitBreaker<FlakyService>;

/// Sends 100,000 calls, a thousand a second, to ten instances behind a balancer that prefers the less loaded of two. One
/// instance is dead. Returns the number of successes.
async fn successes(when_open: OpenBehavior) -> u32 {
    let instances: Vec<PendingRequests<Instance>> = (0..10)
        .map(|number| {
            let mode = if number == 0 { Step::refuse() } else { Step::status(200) };
            // Each instance has its own circuit.
            let layer = CircuitBreakerLayer::new().open_behavior(when_open);
            PendingRequests::new(layer.layer(upstream(mode)), CompleteOnResponse::default())
        })
        .collect();
    let mut balance = Balance::new(ServiceList::new::<http::Request<Body>>(instances));
    let mut successes = 0;
    for _ in 0..100_000 {
        let ready = ServiceExt::<http::Request<Body>>::ready(&mut balance).await.unwrap();
        successes += u32::from(ready.call(get()).await.is_ok());
        advance(Duration::from_millis(1)).await;
    }
    successes
}

#[tokio::test(start_paused = true)]
async fn balancer_skips_dead_instance_with_backpressure() {
    let successes = successes(OpenBehavior::Backpressure).await;
    assert!(successes >= 99_900, "{successes} of 100,000");
}

#[tokio::test(start_paused = true)]
async fn balancer_keeps_calling_dead_instance_with_reject() {
    let successes = successes(OpenBehavior::Reject).await;
    assert!(successes < 99_000, "{successes} of 100,000: not ready would be of no use");
}

/// The circuit breaker with a buffer and a concurrency limit inside and outside.
fn between(
    layer: &CircuitBreakerLayer,
    upstream: &FlakyService,
) -> impl Service<
    http::Request<Body>,
    Response = http::Response<FlakyBody>,
    Error = BoxError,
    Future: Send,
> + Clone
+ Send
+ 'static {
    ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(1)
        .layer(layer.clone())
        .buffer(4)
        .concurrency_limit(1)
        .service(upstream.clone())
}

#[tokio::test(start_paused = true)]
async fn buffer_and_concurrency_limit_work_inside_and_outside() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    let service = between(&layer, &upstream);
    for _ in 0..2 {
        assert!(service.clone().oneshot(get()).await.is_ok());
    }
    for _ in 0..10 {
        let error = service.clone().oneshot(get()).await.unwrap_err();
        assert!(find_source::<CircuitOpen>(&*error).is_some());
    }
    upstream.set_script(Step::status(200)).unwrap();
    advance(seconds(2)).await;
    for _ in 0..10 {
        assert!(service.clone().oneshot(get()).await.is_ok());
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn backpressured_calls_in_buffer_wait_until_admitted() {
    let in_a_row = quick().failure_ratio(None).consecutive_failures(NonZeroU32::new(2));
    for layer in [quick(), in_a_row] {
        let upstream = upstream(Step::status(502));
        let layer = layer.open_behavior(OpenBehavior::Backpressure);
        let service = between(&layer, &upstream);
        for _ in 0..2 {
            assert!(service.clone().oneshot(get()).await.is_ok());
        }
        assert_eq!(layer.handle().state(), State::Open);
        upstream.set_script(Step::status(200)).unwrap();
        let wait = layer.handle().snapshot().next_probe().unwrap();
        let opened = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            calls.spawn(service.clone().oneshot(get()));
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
        let waited = opened.elapsed();
        assert!((wait..wait + STEP).contains(&waited), "{waited:?} of {wait:?}");
        assert_eq!(layer.handle().state(), State::Closed);
    }
}
