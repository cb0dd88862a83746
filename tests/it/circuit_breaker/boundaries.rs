//! Boundary values of settings, unused circuits, and repeated commands.

use http::{Request, Response};
use http_body_util::BodyExt;
use seawall::circuit_breaker::{CircuitBreaker, OpenBehavior};
use tower::{Service, limit::ConcurrencyLimit, service_fn};

use super::{upstream::Body, *};
use crate::support::ScriptedBody;

#[tokio::test(start_paused = true)]
async fn calls_longer_than_probe_timeout_close_circuit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().probe_timeout(seconds(5));
    open(&layer, &upstream).await;
    upstream.set_script(Step::ok("").delay(seconds(20))).unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..120 {
        calls.spawn(layer.layer(upstream.clone()).oneshot(get()));
        tokio::time::sleep(seconds(1)).await;
    }
    assert_eq!(layer.handle().state(), State::Closed);
    calls.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn zero_probe_timeout_keeps_probe_limit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().probe_timeout(Duration::ZERO);
    open(&layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let initial_requests = upstream.requests();
    let mut calls: Vec<_> =
        (0..100).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
    let pending = calls.iter_mut().filter_map(|call| call.poll().is_pending().then_some(()));
    assert_eq!(
        (pending.count() as u64, upstream.requests() - initial_requests),
        (PROBES.into(), PROBES.into())
    );
}

#[tokio::test(start_paused = true)]
async fn breaker_clamps_zero_probe_timeout_to_ten_milliseconds() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().probe_timeout(Duration::ZERO).half_open_probes(NonZeroU32::MIN);
    open(&layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let mut probe = task::spawn(layer.layer(upstream.clone()).oneshot(get()));
    assert_pending!(probe.poll());
    for (ms, is_admitted) in [(9, false), (1, true)] {
        advance(Duration::from_millis(ms)).await;
        let mut call = task::spawn(layer.layer(upstream.clone()).oneshot(get()));
        assert_eq!(call.poll().is_pending(), is_admitted);
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_clamps_zero_window_to_ten_milliseconds() {
    for window in [Duration::ZERO, Duration::from_millis(10)] {
        let upstream = upstream(Step::status(502));
        let layer = opens_at_two().window(window);
        layer.layer(upstream).oneshot(get()).await.unwrap();
        for (ms, calls) in [(0, 1), (9, 1), (1, 0)] {
            advance(Duration::from_millis(ms)).await;
            assert_eq!(layer.handle().snapshot().calls(), calls, "{window:?}");
        }
    }
}

/// Returns layers with minimum and maximum durations and numbers.
fn extreme_layers() -> Vec<CircuitBreakerLayer> {
    let mut layers = Vec::new();
    let numbers = [0, 1, u32::MAX];
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(1), Duration::MAX] {
        for ratio in [None, Some(Ratio::percent(0)), Some(Ratio::percent(100))] {
            for number in numbers {
                let layer = CircuitBreakerLayer::new();
                let layer = match ratio {
                    Some(ratio) => layer.failure_ratio(ratio),
                    None => layer.without_failure_ratio(),
                };
                let layer = layer
                    .min_calls(number)
                    .half_open_probes(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
                    .window(time)
                    .open_duration(time)
                    .max_open_duration(time)
                    .probe_timeout(time)
                    .max_retry_after(time)
                    .slow_call_threshold(time)
                    .open_behavior(OpenBehavior::Backpressure);
                let limits = numbers.map(NonZeroU32::new);
                layers.extend(limits.map(|limit| match limit {
                    Some(limit) => layer.clone().consecutive_failures(limit),
                    None => layer.clone().without_consecutive_failures(),
                }));
            }
        }
    }
    layers
}

#[tokio::test(start_paused = true)]
async fn breaker_does_not_panic_at_extreme_settings_and_clock_jumps() {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    for (number, layer) in extreme_layers().into_iter().enumerate() {
        let keyed = layer.clone().per_key(by_authority);
        let upstream = upstream(Step::silent());
        for status in [503, 200, 503, 503] {
            upstream
                .set_script(Step::status(status).header("retry-after", "99999999999999"))
                .unwrap();
            for _ in 0..3 {
                let _ = task::spawn(layer.layer(upstream.clone()).oneshot(get())).poll();
                let _ = task::spawn(keyed.layer(upstream.clone()).oneshot(get())).poll();
                let _ = layer.handle().snapshot();
            }
            advance(YEAR).await;
            let _ = layer.handle().snapshot();
        }
        // Exceeds the maximum number of keys, once for each duration and ratio.
        for host in (0..4_097).take_while(|_| number.is_multiple_of(9)) {
            let request = get_from(&format!("http://h{host}/"));
            let _ = task::spawn(keyed.layer(upstream.clone()).oneshot(request)).poll();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn open_duration_above_maximum_raises_maximum() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().open_duration(seconds(60));
    open(&layer, &upstream).await;
    assert!(layer.handle().snapshot().next_probe().unwrap() >= seconds(48));
}

type Limited = ConcurrencyLimit<FlakyService>;

fn is_ready(service: &mut task::Spawn<CircuitBreaker<Limited>>) -> bool {
    service.enter(|cx, mut it| Service::<Request<Body>>::poll_ready(&mut *it, cx).is_ready())
}

fn limited(upstream: &FlakyService) -> Limited {
    ServiceBuilder::new().concurrency_limit(1).service(upstream.clone())
}

#[tokio::test(start_paused = true)]
async fn readied_service_releases_inner_permit_when_circuit_opens() {
    for open_behavior in [OpenBehavior::Reject, OpenBehavior::Backpressure] {
        let inner = limited(&upstream(Step::status(200)));
        let layer = opens_at_two().open_behavior(open_behavior);
        let mut service = task::spawn(layer.layer(inner.clone()));
        assert!(is_ready(&mut service));
        layer.handle().force_open();
        assert_eq!(is_ready(&mut service), open_behavior == OpenBehavior::Reject);
        // The only permit is free although `service` is alive.
        let other = task::spawn(inner.oneshot(get())).await;
        assert!(other.is_ok());
        drop(service);
    }
}

#[tokio::test(start_paused = true)]
async fn opening_wakes_callers_that_await_inner_readiness() {
    let upstream = upstream(Step::silent());
    let inner = limited(&upstream);
    let layer = opens_at_two();
    let mut busy = task::spawn(inner.clone().oneshot(get()));
    assert_pending!(busy.poll());
    let mut service = task::spawn(layer.layer(inner.clone()));
    assert!(!is_ready(&mut service));
    layer.handle().force_open();
    assert!(service.is_woken());
    assert!(is_ready(&mut service));
    assert!(service.enter(|_, mut it| it.call(get())).await.is_err());
    // The rejected service has also left the queue for a permit.
    drop(busy);
    upstream.set_script(Step::status(200)).unwrap();
    assert!(inner.oneshot(get()).await.is_ok());
    drop(service);
}

#[tokio::test(start_paused = true)]
async fn breaker_evicts_unused_open_circuits() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    let call = async |host: &str| {
        let _ = service.clone().oneshot(get_from(&format!("http://{host}/"))).await;
    };
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    for host in 0..4_096 {
        call(&format!("h{host}")).await;
        call(&format!("h{host}")).await;
    }
    let overflow_events = || {
        let events = recorder.events();
        events.iter().filter(|event| event.get("max_keys") == Some("4096")).count()
    };
    assert_eq!(overflow_events(), 0);
    for _ in 0..3 {
        call("new").await;
    }
    assert!(layer.handle().get("new").is_none());
    assert_eq!(overflow_events(), 1);
    advance(seconds(60)).await;
    call("new").await;
    assert!(layer.handle().get("new").is_some());
}

#[tokio::test(start_paused = true)]
async fn snapshot_counts_probe_results_when_half_open() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    advance(seconds(2)).await;
    layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.state(), snapshot.calls(), snapshot.failures()), (State::HalfOpen, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn repeated_force_open_emits_no_event_and_keeps_time() {
    let layer = opens_at_two();
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    layer.handle().force_open();
    advance(seconds(5)).await;
    layer.handle().force_open();
    assert_eq!(recorder.events().len(), 1);
    assert_eq!(layer.handle().snapshot().time_in_state(), seconds(5));
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_body_panic_as_failure_until_body_end() {
    struct PanickingBody;
    impl http_body::Body for PanickingBody {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            panic!("panic on purpose")
        }
    }
    let layer = CircuitBreakerLayer::new().until_body_end();
    let inner =
        service_fn(async |_: Request<Body>| Ok::<_, BoxError>(Response::new(PanickingBody)));
    let response = layer.layer(inner).oneshot(get()).await.unwrap();
    let read = tokio::spawn(async move { response.into_body().collect().await.is_ok() });
    assert!(read.await.unwrap_err().is_panic());
    assert_eq!(layer.handle().snapshot().failures(), 1);
}

#[tokio::test(start_paused = true)]
async fn breaker_does_not_count_slow_uncounted_outcome() {
    let layer = opens_at_two().slow_call_threshold(seconds(1));
    let inner = service_fn(async |_: Request<Body>| {
        tokio::time::sleep(seconds(5)).await;
        Err::<Response<ScriptedBody>, BoxError>(
            seawall::Failure::new(Cause::HttpRequestError).into(),
        )
    });
    for _ in 0..10 {
        layer.layer(inner).oneshot(get()).await.unwrap_err();
    }
    assert_eq!(layer.handle().snapshot().calls(), 0);
}
