//! Circuit breakers combined with layers of the tower crate.

use seawall::{circuit_breaker::OpenBehavior, test_util::FlakyBody};
use tower::{
    Service,
    balance::p2c::Balance,
    discover::ServiceList,
    load::{CompleteOnResponse, PendingRequests},
};

use super::{upstream::Body, *};

type Instance = seawall::circuit_breaker::CircuitBreaker<FlakyService>;

/// Returns the successes of 100,000 calls to ten balanced instances, one of which is dead.
///
/// The balancer prefers the less loaded of two instances. It receives 1,000 calls per second.
async fn count_successes(open_behavior: OpenBehavior) -> u32 {
    let instances: Vec<PendingRequests<Instance>> = (0..10)
        .map(|number| {
            let step = if number == 0 { Step::refuse() } else { Step::status(200) };
            // Each instance has its own circuit.
            let layer = CircuitBreakerLayer::new().open_behavior(open_behavior);
            PendingRequests::new(layer.layer(upstream(step)), CompleteOnResponse::default())
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
async fn balancer_skips_dead_instance_when_breaker_applies_backpressure() {
    let successes = count_successes(OpenBehavior::Backpressure).await;
    assert!(successes >= 99_900, "expected at least 99,900 successes, found {successes}");
}

#[tokio::test(start_paused = true)]
async fn balancer_calls_dead_instance_when_breaker_rejects() {
    let successes = count_successes(OpenBehavior::Reject).await;
    assert!(successes < 99_000, "expected fewer than 99,000 successes, found {successes}");
}

/// Returns a circuit breaker with a buffer and a concurrency limit both inside and outside.
fn buffered_and_limited(
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
async fn breaker_works_with_buffers_and_concurrency_limits() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    let service = buffered_and_limited(&layer, &upstream);
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
    let consecutive =
        opens_at_two().without_failure_ratio().consecutive_failures(NonZeroU32::new(2).unwrap());
    for layer in [opens_at_two(), consecutive] {
        let upstream = upstream(Step::status(502));
        let layer = layer.open_behavior(OpenBehavior::Backpressure);
        let service = buffered_and_limited(&layer, &upstream);
        for _ in 0..2 {
            assert!(service.clone().oneshot(get()).await.is_ok());
        }
        assert_eq!(layer.handle().state(), State::Open);
        upstream.set_script(Step::status(200)).unwrap();
        let wait = layer.handle().snapshot().next_probe().unwrap();
        let start = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            calls.spawn(service.clone().oneshot(get()));
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
        let waited = start.elapsed();
        let range = wait..wait + CALL_INTERVAL;
        assert!(range.contains(&waited), "expected a wait in {range:?}, found {waited:?}");
        assert_eq!(layer.handle().state(), State::Closed);
    }
}
