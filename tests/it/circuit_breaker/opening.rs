//! Opening of a closed circuit by failure ratio, consecutive failures and slow calls.

use super::*;

#[tokio::test(start_paused = true)]
async fn circuit_opens_when_half_of_twenty_calls_failed() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new();
    let service = layer.layer(upstream.clone());
    for _ in 0..10 {
        service.clone().oneshot(get()).await.unwrap();
    }
    upstream.set_script(Step::status(502)).unwrap();
    for _ in 0..10 {
        assert_eq!(layer.handle().state(), State::Closed);
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Open);
    let error = service.oneshot(get()).await.unwrap_err();
    assert_eq!(circuit_open(&error).opened_by().unwrap().cause(), Cause::BadGateway);
    assert_eq!(upstream.requests(), 20);
}

#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_below_failure_ratio() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new().failure_ratio(Ratio::percent(60));
    let service = layer.layer(upstream.clone());
    for call in 0..1_000 {
        upstream.set_script(Step::status(if call % 2 == 0 { 200 } else { 503 })).unwrap();
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (1_000, 500));
}

#[tokio::test(start_paused = true)]
async fn consecutive_failures_open_circuit_and_success_resets_them() {
    let upstream = upstream(Step::status(502));
    let layer = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::new(3).unwrap());
    let service = layer.layer(upstream.clone());
    for statuses in [[502, 502, 200], [502, 502, 502]] {
        for status in statuses {
            assert_eq!(layer.handle().state(), State::Closed);
            upstream.set_script(Step::status(status)).unwrap();
            service.clone().oneshot(get()).await.unwrap();
        }
    }
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_count_as_failures_even_when_canceled() {
    let upstream = upstream(Step::ok("").delay(seconds(3)));
    let layer = opens_at_two().slow_call_threshold(seconds(2));
    let service = layer.layer(upstream.clone());
    service.clone().oneshot(get()).await.unwrap();
    assert_eq!(layer.handle().snapshot().failures(), 1);
    upstream.set_script(Step::silent()).unwrap();
    let mut call = task::spawn(service.oneshot(get()));
    assert_pending!(call.poll());
    advance(seconds(2)).await;
    drop(call);
    assert_eq!(layer.handle().state(), State::Open);
    let opened_by = layer.handle().snapshot().opened_by().copied().unwrap();
    assert_eq!(opened_by.cause(), Cause::HttpResponseTimeout);
}

/// Returns an upstream and its layer after ten seconds of successful calls, one every 10 ms.
async fn after_ten_seconds_of_load() -> (FlakyService, CircuitBreakerLayer) {
    let (upstream, layer) = (upstream(Step::status(200)), CircuitBreakerLayer::new());
    for _ in 0..1_000 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        advance(CALL_INTERVAL).await;
    }
    (upstream, layer)
}

#[tokio::test(start_paused = true)]
async fn circuit_opens_when_tenth_of_window_has_no_success() {
    let (upstream, layer) = after_ten_seconds_of_load().await;
    upstream.set_script(Step::status(502)).unwrap();
    let start = Instant::now();
    while layer.handle().state() == State::Closed {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        advance(CALL_INTERVAL).await;
    }
    let delay = start.elapsed();
    assert!(delay >= seconds(1) && delay <= seconds(1) + 2 * CALL_INTERVAL, "{delay:?}");
}

#[tokio::test(start_paused = true)]
async fn one_success_in_hundred_delays_opening_to_half_window() {
    let (upstream, layer) = after_ten_seconds_of_load().await;
    for call in 0..400 {
        upstream.set_script(Step::status(if call % 99 == 98 { 200 } else { 502 })).unwrap();
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        assert_eq!(layer.handle().state(), State::Closed);
        advance(CALL_INTERVAL).await;
    }
}

#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_below_min_calls_without_success() {
    let upstream = upstream(Step::status(502));
    let layer = CircuitBreakerLayer::new();
    for _ in 0..19 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        assert_eq!(layer.handle().state(), State::Closed);
        advance(Duration::from_millis(900)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn circuit_ignores_failures_before_idle_period() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new().min_calls(4);
    let service = layer.layer(upstream.clone());
    for _ in 0..20 {
        service.clone().oneshot(get()).await.unwrap();
    }
    upstream.set_script(Step::status(502)).unwrap();
    for idle_period in [seconds(2), Duration::ZERO] {
        for _ in 0..4 {
            service.clone().oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().state(), State::Closed);
        advance(idle_period).await;
    }
    // Without an idle period the circuit opens a second later.
    advance(seconds(1)).await;
    service.oneshot(get()).await.unwrap();
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_when_one_of_four_routes_fails() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for call in 0..400 {
        upstream.set_script(Step::status(if call % 4 == 0 { 500 } else { 200 })).unwrap();
        let request = get_from(&format!("http://a/route{}", call % 4));
        service.clone().oneshot(request).await.unwrap();
    }
    assert_eq!(layer.handle().get("a").unwrap().snapshot().failures(), 0);
    // The same holds for the failing route alone, unless `count_origin_errors` is set.
    upstream.set_script(Step::status(500)).unwrap();
    for (count, state) in [(false, State::Closed), (true, State::Open)] {
        let layer = CircuitBreakerLayer::new().count_origin_errors(count);
        for _ in 0..20 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().state(), state);
    }
}
