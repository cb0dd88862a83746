//! Readiness, panics and bodies of the inner service.

use std::{error::Error, panic::AssertUnwindSafe};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use seawall::{
    circuit_breaker::{CircuitBreaker, OpenBehavior},
    test_util::FlakyBody,
};
use tokio_test::{assert_ready, assert_ready_ok};
use tower::{Service, service_fn};

use super::{upstream::Body, *};
use crate::support::{ScriptedBody, Step as BodyStep};

#[tokio::test(start_paused = true)]
async fn breaker_counts_panic_of_inner_call_or_future() {
    for in_call in [true, false] {
        let panicking = service_fn(move |_: Request<Body>| {
            assert!(!in_call, "panic on purpose");
            async move {
                assert!(in_call, "panic on purpose");
                Ok::<_, BoxError>(Response::new(Body::default()))
            }
        });
        let layer = opens_at_two();
        for _ in 0..2 {
            let call = async { layer.layer(panicking).oneshot(get()).await };
            assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
        }
        assert_eq!(layer.handle().state(), State::Open, "{in_call}");
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_call_after_readiness_releases_inner_permit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    let limited = ServiceBuilder::new().concurrency_limit(1).service(upstream.clone());
    let mut service = task::spawn(layer.layer(limited.clone()));
    assert_ready_ok!(
        service.enter(|cx, mut it| Service::<Request<Body>>::poll_ready(&mut *it, cx))
    );
    // The circuit opens between readiness and the call.
    open(&layer, &upstream).await;
    let call = service.enter(|_, mut it| it.call(get()));
    assert!(call.await.is_err());
    upstream.set_script(Step::status(200)).unwrap();
    assert!(limited.oneshot(get()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn open_circuit_does_not_poll_inner_readiness() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    let limited = ServiceBuilder::new().concurrency_limit(1).service(upstream.clone());
    let mut rejecting = task::spawn(layer.layer(limited.clone()));
    assert_ready_ok!(
        rejecting.enter(|cx, mut it| Service::<Request<Body>>::poll_ready(&mut *it, cx))
    );
    upstream.set_script(Step::status(200)).unwrap();
    // The only permit is free.
    assert!(limited.clone().oneshot(get()).await.is_ok());
    // The circuit is closed by now, but the inner service was not polled for readiness.
    layer.handle().force_closed();
    let call = rejecting.enter(|_, mut it| it.call(get()));
    assert_eq!(circuit_open(&call.await.unwrap_err()).retry_after(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn backpressured_service_is_pending_until_next_probe() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().open_behavior(OpenBehavior::Backpressure);
    open(&layer, &upstream).await;
    let wait = layer.handle().snapshot().next_probe().unwrap();
    let mut service = task::spawn(layer.layer(upstream.clone()));
    let mut poll_ready = || {
        service.enter(|cx, mut it| {
            Service::<Request<Body>>::poll_ready(&mut *it, cx).map(|ready| ready.is_ok())
        })
    };
    assert_pending!(poll_ready());
    advance(wait.saturating_sub(Duration::from_millis(2))).await;
    assert_pending!(poll_ready());
    advance(Duration::from_millis(4)).await;
    assert!(assert_ready!(poll_ready()));
}

#[tokio::test(start_paused = true)]
async fn backpressured_service_is_woken_when_circuit_closes_or_probe_ends() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().open_behavior(OpenBehavior::Backpressure);
    open(&layer, &upstream).await;
    let mut service = task::spawn(layer.layer(upstream.clone()));
    assert!(!is_ready(&mut service));
    layer.handle().force_closed();
    assert!(service.is_woken());
    assert!(is_ready(&mut service));

    // Hanging probes hold all permits; one of them is dropped.
    layer.handle().release();
    open(&layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let mut probes: Vec<_> =
        (0..PROBES).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
    for probe in &mut probes {
        assert_pending!(probe.poll());
    }
    assert!(!is_ready(&mut service));
    drop(probes.pop());
    assert!(service.is_woken());
    assert!(is_ready(&mut service));
}

fn is_ready(service: &mut task::Spawn<CircuitBreaker<FlakyService>>) -> bool {
    service.enter(|cx, mut it| Service::<Request<Body>>::poll_ready(&mut *it, cx).is_ready())
}

type StreamedResponse = Response<ScriptedBody>;

fn streaming_service(
    steps: &[BodyStep],
) -> impl Service<Request<Body>, Response = StreamedResponse, Error = BoxError, Future: Send>
+ Clone
+ use<> {
    let steps = steps.to_vec();
    service_fn(move |_| std::future::ready(Ok(Response::new(ScriptedBody::new(steps.clone())))))
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_call_once_when_head_and_body_fail() {
    let layer = CircuitBreakerLayer::new().until_body_end();
    let failing = service_fn(async |_| {
        let mut response = Response::new(ScriptedBody::new(vec![BodyStep::Error]));
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        Ok::<_, BoxError>(response)
    });
    let response = layer.layer(failing).oneshot(get()).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_response_at_body_end_when_configured() {
    let data = || BodyStep::Data(Bytes::from_static(b"data"));
    let layer = CircuitBreakerLayer::new().until_body_end();
    let counts = || {
        let snapshot = layer.handle().snapshot();
        (snapshot.calls(), snapshot.failures())
    };
    // Read to the end.
    let response = layer
        .layer(streaming_service(&[data(), BodyStep::Pause, data()]))
        .oneshot(get())
        .await
        .unwrap();
    assert_eq!(counts(), (0, 0));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "datadata");
    assert_eq!(counts(), (1, 0));
    // Failed before its end.
    let response =
        layer.layer(streaming_service(&[data(), BodyStep::Error])).oneshot(get()).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(counts(), (2, 1));
    // Dropped by the caller.
    let response = layer.layer(streaming_service(&[data(), data()])).oneshot(get()).await.unwrap();
    let mut body = Box::pin(response.into_body());
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(counts(), (2, 1));
    // Read only up to the last frame, as HTTP/2 does.
    let response = layer.layer(streaming_service(&[data()])).oneshot(get()).await.unwrap();
    let mut body = Box::pin(response.into_body());
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
    assert_eq!(counts(), (3, 1));
    // An empty body.
    drop(layer.layer(streaming_service(&[])).oneshot(get()).await.unwrap());
    assert_eq!(counts(), (4, 1));
    // A failure in the head is counted at once.
    let failing = service_fn(async |_: Request<Body>| {
        Ok::<_, BoxError>(crate::support::response::<ScriptedBody>(502))
    });
    drop(layer.layer(failing).oneshot(get()).await.unwrap());
    assert_eq!(counts(), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn breaker_passes_trailers_and_size_hint_until_body_end() {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    let steps = [BodyStep::Data("one".into()), BodyStep::Trailers(trailers.clone())];
    let inner = service_fn(move |_: Request<Body>| {
        std::future::ready(Ok::<_, BoxError>(Response::new(ScriptedBody::sized(steps.clone()))))
    });
    let response =
        CircuitBreakerLayer::new().until_body_end().layer(inner).oneshot(get()).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(3));
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers(), Some(&trailers));
    assert_eq!(body.to_bytes(), "one");
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_incomplete_404_as_failure_until_body_end() {
    let layer = CircuitBreakerLayer::new().until_body_end();
    let inner = service_fn(async |_: Request<Body>| {
        let mut response = Response::new(ScriptedBody::new([BodyStep::Error]));
        *response.status_mut() = StatusCode::NOT_FOUND;
        Ok::<_, BoxError>(response)
    });
    let response = layer.layer(inner).oneshot(get()).await.unwrap();
    assert_eq!(layer.handle().snapshot().calls(), 0);
    assert!(response.into_body().collect().await.is_err());
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn slow_404_counts_as_slow_call() {
    let layer = CircuitBreakerLayer::new().slow_call_threshold(seconds(1));
    let upstream = upstream(Step::status(404).delay(seconds(2)));
    layer.layer(upstream).oneshot(get()).await.unwrap();
    assert_eq!(layer.handle().snapshot().failures(), 1);
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_error_as_success_when_classifier_returns_none() {
    let layer = opens_at_two().classifier(seawall::classify::classify_fn(
        |_: Result<&Response<FlakyBody>, &(dyn Error + 'static)>| None,
    ));
    for _ in 0..3 {
        layer.layer(upstream(Step::refuse())).oneshot(get()).await.unwrap_err();
    }
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (3, 0));
}
