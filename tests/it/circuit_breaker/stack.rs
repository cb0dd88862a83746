//! With `RetryLayer` and `ErrorResponseLayer` around it.

use super::*;

#[tokio::test(start_paused = true)]
async fn open_circuit_stops_outer_retry_at_once() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    let retry = RetryLayer::new().max_retries(9).backoff(Backoff::none()).budget(Budget::none());
    let service = ServiceBuilder::new().layer(retry).layer(layer).service(upstream.clone());
    let error = service.oneshot(get()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.reason(), gave_up.attempts().get()), (StopReason::CircuitOpen, 3));
    assert_eq!(upstream.requests(), 2);
    assert_eq!(gave_up.last_response().unwrap().status(), 502);
    // The whole call may have been processed by its first two attempts.
    assert_eq!(classify_error(&*error).processed(), Processed::Maybe);
    let source = find_source::<CircuitOpen>(&*error).unwrap();
    assert_eq!(classify_error(source).processed(), Processed::No);
}

#[tokio::test(start_paused = true)]
async fn open_circuit_gets_503_with_retry_after_and_proxy_status() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    open(&layer, &upstream).await;
    let service =
        ServiceBuilder::new().layer(ErrorResponseLayer::new("edge")).layer(layer).service(upstream);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(response.headers()["proxy-status"], "edge;error=destination_unavailable");
}
