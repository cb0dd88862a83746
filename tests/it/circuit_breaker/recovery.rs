//! The open duration, and closing by probes.

use super::*;

#[tokio::test(start_paused = true)]
async fn open_duration_grows_from_two_to_five_seconds_with_jitter() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    let service = layer.layer(upstream.clone());
    for max in [2.0, 3.0, 4.5, 5.0, 5.0] {
        let wait = layer.handle().snapshot().next_probe().unwrap();
        let range = 0.8 * max..=max;
        assert!(range.contains(&wait.as_secs_f64()), "expected {range:?} s, found {wait:?}");
        let error = service.clone().oneshot(get()).await.unwrap_err();
        assert_eq!(circuit_open(&error).retry_after(), Some(wait));
        advance(wait).await;
        // The circuit reopens as soon as the remaining probes cannot close it.
        for _ in 0..3 {
            service.clone().oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_extends_open_duration_up_to_30_seconds() {
    for (retry_after, open_duration) in [("10", seconds(10)), ("3600", seconds(30))] {
        let upstream = upstream(Step::status(503).header("retry-after", retry_after));
        let layer = opens_at_two();
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().snapshot().next_probe(), Some(open_duration));
    }
}

#[tokio::test(start_paused = true)]
async fn circuit_closes_after_one_round_of_probes_when_recovered() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    upstream.set_script(Step::ok("").delay(Duration::from_millis(100))).unwrap();
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    // A hundred callers, each of which calls again 10 ms after a rejection.
    for _ in 0..100 {
        let service = layer.layer(upstream.clone());
        calls.spawn(async move {
            while service.clone().oneshot(get()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }
    while layer.handle().state() != State::Closed {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let recovery = started.elapsed();
    assert!(recovery <= seconds(2) + Duration::from_millis(120), "{recovery:?}");
    calls.join_all().await;
    // The two calls that opened the circuit, and one call of each caller.
    assert_eq!(upstream.requests(), 2 + 100);
}

#[tokio::test(start_paused = true)]
async fn half_open_circuit_admits_only_probes_of_hundred_callers() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    let initial_requests = upstream.requests();
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let mut calls: Vec<_> =
        (0..100).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
    let rejections = calls.iter_mut().filter_map(|call| match call.poll() {
        std::task::Poll::Ready(outcome) => Some(outcome.unwrap_err()),
        std::task::Poll::Pending => None,
    });
    let rejections: Vec<_> = rejections.collect();
    assert_eq!(rejections.len() as u32, 100 - PROBES);
    assert_eq!(upstream.requests() - initial_requests, u64::from(PROBES));
    assert_eq!(circuit_open(&rejections[0]).retry_after(), Some(seconds(1)));
    assert_eq!(layer.handle().state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn hanging_probe_releases_permit_after_probe_timeout() {
    assert_probe_permit_released_after(&opens_at_two().probe_timeout(seconds(20)), 20).await;
}

#[tokio::test(start_paused = true)]
async fn probe_timeout_defaults_to_30_seconds() {
    assert_probe_permit_released_after(&opens_at_two(), 30).await;
}

async fn assert_probe_permit_released_after(layer: &CircuitBreakerLayer, timeout_secs: u64) {
    let upstream = upstream(Step::status(502));
    open(layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let mut hanging: Vec<_> =
        (0..PROBES).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
    for call in &mut hanging {
        assert_pending!(call.poll());
    }
    upstream.set_script(Step::status(200)).unwrap();
    let service = layer.layer(upstream.clone());
    advance(seconds(timeout_secs - 1)).await;
    assert!(service.clone().oneshot(get()).await.is_err());
    advance(seconds(1)).await;
    for _ in 0..3 {
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
    drop(hanging);
    assert_eq!(layer.handle().state(), State::Closed);
}
