//! `CircuitBreakerLayer` inside `RetryLayer` and `ErrorResponseLayer`.

use super::*;

#[tokio::test(start_paused = true)]
async fn open_circuit_stops_outer_retry_at_once() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    let retry = RetryLayer::new().max_retries(9).backoff(Backoff::none()).budget(Budget::none());
    let service = ServiceBuilder::new().layer(retry).layer(layer).service(upstream.clone());
    let error = service.oneshot(get()).await.unwrap_err();
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((exhausted.stop_reason(), exhausted.attempts().get()), (StopReason::CircuitOpen, 3));
    assert_eq!(upstream.requests(), 2);
    assert_eq!(exhausted.last_response().unwrap().status(), 502);
    // The first two attempts may have been processed.
    assert_eq!(classify_error(&*error).processed(), Processed::Maybe);
    let source = find_source::<CircuitOpen>(&*error).unwrap();
    assert_eq!(classify_error(source).processed(), Processed::No);
}

#[tokio::test(start_paused = true)]
async fn open_circuit_returns_503_with_retry_after_and_proxy_status() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    let service =
        ServiceBuilder::new().layer(ErrorResponseLayer::new("edge")).layer(layer).service(upstream);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(response.headers()["proxy-status"], "edge;error=destination_unavailable");
}
