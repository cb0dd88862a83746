//! Who waits for the circuit, and who is ready only to refuse.

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

/// Its circuit opens while it is asked whether it is ready, which it is not.
#[derive(Clone)]
struct OpensAsAsked(Circuit);

impl Service<Request<Body>> for OpensAsAsked {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Pending<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.force_open();
        Poll::Pending
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        unreachable!("it is never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_opens_while_the_inner_service_is_asked_is_noticed_at_once() {
    let layer = quick();
    let mut service = task::spawn(layer.layer(OpensAsAsked(layer.handle())));
    assert!(is_ready(&mut service));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_dropped_leaves_no_waker_behind() {
    struct Nothing;
    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }
    let layer = quick().open_behavior(OpenBehavior::Backpressure);
    layer.handle().force_open();
    let woken = Arc::new(Nothing);
    let waker = Waker::from(Arc::clone(&woken));
    let mut service = layer.layer(upstream(Step::status(200)));
    assert_pending!(Service::<Request<Body>>::poll_ready(
        &mut service,
        &mut Context::from_waker(&waker)
    ));
    drop((service, waker));
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_was_ready_to_refuse_asks_again_once_it_is_closed() {
    let layer = quick();
    layer.handle().force_open();
    let mut service = task::spawn(layer.layer(upstream(Step::status(200))));
    assert!(is_ready(&mut service));
    layer.handle().release();
    assert!(is_ready(&mut service));
    assert!(service.enter(|_, mut it| it.call(get())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_long_time_does_not_wait_for_it_when_it_opens_anew_for_a_short_one() {
    let upstream = upstream(Step::status(503).header("retry-after", "30"));
    let layer = quick().open_behavior(OpenBehavior::Backpressure);
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
