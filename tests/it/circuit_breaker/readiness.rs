//! Readiness: waiting for the circuit, and being ready only to reject.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use http::{Request, Response};
use seawall::circuit_breaker::{Circuit, OpenBehavior};
use tower::Service;

use super::{upstream::Body, *};

fn is_ready(service: &mut task::Spawn<impl Service<Request<Body>> + Unpin>) -> bool {
    service.enter(|cx, mut it| it.poll_ready(cx).is_ready())
}

/// A pending service whose `poll_ready` opens the circuit.
#[derive(Clone)]
struct OpensDuringPollReady(Circuit);

impl Service<Request<Body>> for OpensDuringPollReady {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Pending<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.force_open();
        Poll::Pending
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        unreachable!("called a service that is never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn poll_ready_notices_opening_during_inner_poll_ready() {
    let layer = opens_at_two();
    let mut service = task::spawn(layer.layer(OpensDuringPollReady(layer.handle())));
    assert!(is_ready(&mut service));
}

#[tokio::test(start_paused = true)]
async fn dropped_service_unregisters_waker() {
    struct NoopWake;
    impl Wake for NoopWake {
        fn wake(self: Arc<Self>) {}
    }
    let layer = opens_at_two().open_behavior(OpenBehavior::Backpressure);
    layer.handle().force_open();
    let wake = Arc::new(NoopWake);
    let waker = Waker::from(Arc::clone(&wake));
    let mut service = layer.layer(upstream(Step::status(200)));
    assert_pending!(Service::<Request<Body>>::poll_ready(
        &mut service,
        &mut Context::from_waker(&waker)
    ));
    drop((service, waker));
    assert_eq!(Arc::strong_count(&wake), 1);
}

#[tokio::test(start_paused = true)]
async fn service_readied_to_reject_polls_inner_again_when_closed() {
    let layer = opens_at_two();
    layer.handle().force_open();
    let mut service = task::spawn(layer.layer(upstream(Step::status(200))));
    assert!(is_ready(&mut service));
    layer.handle().release();
    assert!(is_ready(&mut service));
    assert!(service.enter(|_, mut it| it.call(get())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn waiter_uses_new_open_duration_after_reopen() {
    let upstream = upstream(Step::status(503).header("retry-after", "30"));
    let layer = opens_at_two().open_behavior(OpenBehavior::Backpressure);
    for _ in 0..2 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    let mut service = task::spawn(layer.layer(upstream.clone()));
    assert!(!is_ready(&mut service));
    layer.handle().force_closed();
    layer.handle().release();
    open(&layer, &upstream).await;
    assert!(!is_ready(&mut service));
    advance(seconds(2)).await;
    assert!(service.is_woken());
    assert!(is_ready(&mut service));
}
