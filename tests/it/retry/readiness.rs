//! Readiness of the inner service before the first attempt and before each retry.

use std::{error::Error, io, time::Duration};

use http::Request;
use seawall::{
    BoxError,
    classify::{classify_error, classify_fn},
    find_source,
    retry::{Backoff, RetriesExhausted, RetryLayer, StopReason},
};
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_test::mock;

use super::{Body, immediate, ms, within};
use crate::support::{Action, Script, get, response};

#[tokio::test(start_paused = true)]
async fn first_attempt_uses_readied_instance_and_retry_readied_clone() {
    let layer = immediate().clone_requests().classifier(classify_fn(
        |outcome: Result<&&str, &(dyn Error + 'static)>| outcome.err().map(classify_error),
    ));
    let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(layer);
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "a");
    respond.send_error(io::Error::from(io::ErrorKind::ConnectionReset));
    // The second attempt waits, because no instance is ready.
    assert_pending!(call.poll());
    assert_pending!(call.poll());
    handle.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "a");
    respond.send_response("b");
    assert_eq!(assert_ready_ok!(call.poll()), "b");
}

#[tokio::test(start_paused = true)]
async fn call_ends_when_inner_service_fails_readiness() {
    #[derive(Clone)]
    struct ReadyOnce(bool);
    impl Service<()> for ReadyOnce {
        type Response = ();
        type Error = BoxError;
        type Future = std::future::Ready<Result<(), BoxError>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), BoxError>> {
            let first = std::mem::replace(&mut self.0, false);
            std::task::Poll::Ready(if first { Ok(()) } else { Err("closed".into()) })
        }
        fn call(&mut self, (): ()) -> Self::Future {
            std::future::ready(Err(io::Error::from(io::ErrorKind::ConnectionReset).into()))
        }
    }
    let layer = immediate().clone_requests().classifier(classify_fn(
        |outcome: Result<&(), &(dyn Error + 'static)>| outcome.err().map(classify_error),
    ));
    let error = layer.layer(ReadyOnce(true)).oneshot(()).await.unwrap_err();
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((exhausted.stop_reason(), exhausted.attempts().get()), (StopReason::NotReady, 1));
    assert_eq!(exhausted.source().unwrap().to_string(), "closed");
}

#[tokio::test(start_paused = true)]
async fn expired_call_leaves_permit_queue() {
    let script = Script::new([
        Action::Respond(response::<Body>(502)),
        Action::Stall,
        Action::Respond(response(200)),
    ]);
    let wait = Duration::from_secs(5);
    let limited = ServiceBuilder::new()
        .layer(RetryLayer::new().backoff(Backoff::constant(wait)))
        .concurrency_limit(1)
        .service(script.clone());
    let mut first = limited.clone();
    let ready = ServiceExt::<Request<Body>>::ready(&mut first).await.unwrap();
    let mut waiting = task::spawn(ready.call(within(Duration::from_secs(6))));
    assert_pending!(waiting.poll());
    let mut busy = task::spawn(limited.clone().oneshot(get()));
    assert_pending!(busy.poll());
    tokio::time::advance(wait + ms(5)).await;
    assert_pending!(waiting.poll());
    tokio::time::advance(wait).await;
    assert!(waiting.poll().is_ready());
    drop(first);
    drop(busy);
    // The completed call is still alive.
    assert_eq!(limited.oneshot(get()).await.unwrap().status(), 200);
    drop(waiting);
}
