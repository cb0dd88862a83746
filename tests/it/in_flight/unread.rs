//! Callers that do not read their response.

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use seawall::{BoxError, in_flight::InFlightLimitLayer};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{ScriptedBody, Step};

const TIMEOUT: Duration = Duration::from_secs(1);

/// Returns a limit of one call, and a service below it that responds with `steps`.
fn limited(
    steps: impl IntoIterator<Item = Step>,
) -> (
    InFlightLimitLayer,
    impl Service<
        Request<()>,
        Response = Response<seawall::in_flight::ResponseBody<ScriptedBody>>,
        Error = BoxError,
    > + Clone,
) {
    let layer = InFlightLimitLayer::new(NonZeroU32::MIN).unread_timeout(TIMEOUT);
    let body = ScriptedBody::new(steps);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        std::future::ready(Ok::<_, BoxError>(Response::new(body.clone())))
    }));
    (layer, service)
}

fn data() -> Step {
    Step::Data(Bytes::from_static(b"x"))
}

/// Waits for two periods, and makes a call in each.
macro_rules! second_call {
    ($service:expr) => {{
        sleep(TIMEOUT).await;
        let _ = $service.clone().oneshot(Request::new(())).await;
        sleep(TIMEOUT).await;
        $service.clone().oneshot(Request::new(())).await
    }};
}

#[tokio::test(start_paused = true)]
async fn permit_is_released_when_response_is_never_read() {
    let (layer, service) = limited([data(), data()]);
    let unread = service.clone().oneshot(Request::new(())).await.unwrap();
    let second = second_call!(service).unwrap();
    assert_eq!(layer.in_flight(), 1);
    drop(unread);
    assert_eq!(layer.in_flight(), 1);
    drop(second);
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn permit_is_released_when_caller_stops_reading() {
    let (layer, service) = limited([data(), Step::Pause, data(), data()]);
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    let mut body = Box::pin(response.into_body());
    for _ in 0..2 {
        body.frame().await.unwrap().unwrap();
    }
    let second = second_call!(service).unwrap();
    // The caller reads on, and does not count any more.
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(layer.in_flight(), 1);
    drop(second);
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn permit_is_held_while_caller_reads_slowly() {
    let steps = std::iter::repeat_with(data).take(20);
    let (layer, service) = limited(steps);
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    let mut body = Box::pin(response.into_body());
    for _ in 0..19 {
        body.frame().await.unwrap().unwrap();
        sleep(TIMEOUT / 2).await;
        assert!(service.clone().oneshot(Request::new(())).await.is_err());
    }
    assert_eq!(layer.in_flight(), 1);
    body.frame().await.unwrap().unwrap();
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn permit_is_held_while_upstream_pauses() {
    let (layer, service) = limited([data(), Step::Stall]);
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    let reader = tokio::spawn(response.into_body().collect());
    sleep(TIMEOUT).await;
    assert!(second_call!(service).is_err());
    assert!(second_call!(service).is_err());
    assert_eq!(layer.in_flight(), 1);
    reader.abort();
    assert!(reader.await.unwrap_err().is_cancelled());
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn permit_is_held_while_limit_is_not_reached() {
    let layer = InFlightLimitLayer::new(NonZeroU32::new(2).unwrap()).unread_timeout(TIMEOUT);
    let service = layer.layer(service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, BoxError>(Response::new(ScriptedBody::new([data()]))))
    }));
    let _unread = service.clone().oneshot(Request::new(())).await.unwrap();
    for _ in 0..5 {
        sleep(TIMEOUT).await;
        service.clone().oneshot(Request::new(())).await.unwrap();
        assert_eq!(layer.in_flight(), 1);
    }
}
