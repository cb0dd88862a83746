//! Opening by `consecutive_failures` without a failure ratio.

use super::*;

/// Returns a layer whose circuit opens only at the fifth consecutive failure.
fn opens_at_five() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new()
        .without_failure_ratio()
        .consecutive_failures(NonZeroU32::new(5).unwrap())
}

const OK: u16 = 200;
const BAD: u16 = 502;

async fn send_calls(
    layer: &CircuitBreakerLayer,
    upstream: &FlakyService,
    count: usize,
    status: u16,
) {
    upstream.set_script(Step::status(status)).unwrap();
    for _ in 0..count {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
}

fn counts(layer: &CircuitBreakerLayer) -> (State, u64, u64) {
    let snapshot = layer.handle().snapshot();
    (snapshot.state(), snapshot.calls(), snapshot.failures())
}

/// Asserts that the circuit opens at the fifth failure from now on.
async fn assert_fifth_failure_opens(layer: &CircuitBreakerLayer, upstream: &FlakyService) {
    send_calls(layer, upstream, 4, BAD).await;
    assert_eq!(layer.handle().state(), State::Closed);
    send_calls(layer, upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

/// Returns a layer whose open duration has passed, so that the next call is a probe.
async fn layer_due_for_probe(upstream: &FlakyService) -> CircuitBreakerLayer {
    let layer = opens_at_five();
    open(&layer, upstream).await;
    advance(seconds(2)).await;
    layer
}

#[tokio::test(start_paused = true)]
async fn consecutive_failures_open_circuit_at_any_failure_ratio() {
    for successes in [0, 1, 1_000] {
        let (upstream, layer) = (upstream(Step::status(OK)), opens_at_five());
        send_calls(&layer, &upstream, successes, OK).await;
        send_calls(&layer, &upstream, 4, BAD).await;
        // Consecutive failures do not expire.
        advance(seconds(3_600)).await;
        assert_eq!(layer.handle().state(), State::Closed);
        send_calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Open);
        let error = layer.layer(upstream).oneshot(get()).await.unwrap_err();
        assert_eq!(circuit_open(&error).opened_by().unwrap().cause(), Cause::BadGateway);
    }
}

#[tokio::test(start_paused = true)]
async fn success_resets_consecutive_failures() {
    let (upstream, layer) = (upstream(Step::status(OK)), opens_at_five());
    for _ in 0..500 {
        send_calls(&layer, &upstream, 4, BAD).await;
        send_calls(&layer, &upstream, 1, OK).await;
        assert_eq!(layer.handle().state(), State::Closed);
    }
    assert_fifth_failure_opens(&layer, &upstream).await;
}

#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_until_consecutive_failure_limit() {
    let (upstream, layer) = (upstream(Step::status(OK)), opens_at_five().min_calls(1));
    let layer = layer.consecutive_failures(NonZeroU32::new(1_000).unwrap());
    for _ in 0..999 {
        send_calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Closed);
        advance(CALL_INTERVAL).await;
    }
    send_calls(&layer, &upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn circuit_without_thresholds_opens_only_when_forced() {
    let (upstream, layer) =
        (upstream(Step::status(OK)), opens_at_five().without_consecutive_failures());
    send_calls(&layer, &upstream, 1_000, BAD).await;
    advance(seconds(5)).await;
    send_calls(&layer, &upstream, 1_000, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    layer.handle().force_open();
    assert!(layer.layer(upstream).oneshot(get()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_reopens_circuit() {
    let upstream = upstream(Step::status(OK));
    let layer = layer_due_for_probe(&upstream).await;
    send_calls(&layer, &upstream, PROBES as usize - 1, OK).await;
    assert_eq!(counts(&layer), (State::HalfOpen, 4, 0));
    send_calls(&layer, &upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn successful_probes_close_circuit_and_reset_failures() {
    let upstream = upstream(Step::status(OK));
    let layer = layer_due_for_probe(&upstream).await;
    for succeeded in 0..PROBES {
        assert_eq!(counts(&layer).0, if succeeded == 0 { State::Open } else { State::HalfOpen });
        send_calls(&layer, &upstream, 1, OK).await;
    }
    assert_fifth_failure_opens(&layer, &upstream).await;
}

#[tokio::test(start_paused = true)]
async fn stale_results_do_not_change_consecutive_failures() {
    for stale_status in [BAD, OK] {
        let upstream = upstream(Step::status(stale_status).delay(seconds(3)));
        let layer = opens_at_five();
        let mut stale_calls: Vec<_> =
            (0..10).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
        for call in &mut stale_calls {
            assert_pending!(call.poll());
        }
        open(&layer, &upstream).await;
        advance(seconds(2)).await;
        send_calls(&layer, &upstream, PROBES as usize, OK).await;
        send_calls(&layer, &upstream, 4, BAD).await;
        advance(seconds(1)).await;
        assert!(stale_calls.iter_mut().all(|call| call.poll().is_ready()));
        let snapshot = layer.handle().snapshot();
        assert_eq!((snapshot.state(), snapshot.stale_results()), (State::Closed, 10));
        send_calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn snapshot_has_no_counts_without_failure_ratio() {
    let (upstream, layer) = (upstream(Step::status(OK)), opens_at_five());
    send_calls(&layer, &upstream, 100, OK).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    send_calls(&layer, &upstream, 4, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    // A circuit with a failure ratio has counts.
    let layer = opens_at_five().failure_ratio(Ratio::percent(50));
    send_calls(&layer, &upstream, 100, OK).await;
    send_calls(&layer, &upstream, 4, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 104, 4));
}

#[tokio::test(start_paused = true)]
async fn open_event_reports_consecutive_failures() {
    let (upstream, layer) = (upstream(Step::status(OK)), opens_at_five());
    send_calls(&layer, &upstream, 100, OK).await;
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    send_calls(&layer, &upstream, 5, BAD).await;
    let events = recorder.events();
    let field = |name| events[0].get(name);
    assert_eq!(
        (field("new"), field("calls"), field("failures")),
        (Some("open"), Some("5"), Some("5"))
    );
}

#[tokio::test(start_paused = true)]
async fn slow_calls_count_as_consecutive_failures() {
    let upstream = upstream(Step::ok("").delay(seconds(3)));
    let layer = opens_at_five().slow_call_threshold(seconds(2));
    for _ in 0..5 {
        assert_eq!(layer.handle().state(), State::Closed);
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Open);
    // A fast call resets the count.
    let layer = opens_at_five().slow_call_threshold(seconds(2));
    for delay in [3, 3, 3, 3, 1, 3, 3, 3, 3] {
        upstream.set_script(Step::ok("").delay(seconds(delay))).unwrap();
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn breaker_keeps_consecutive_failures_of_key_for_one_window() {
    let upstream = upstream(Step::status(OK));
    let layer = opens_at_five().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    let call = async |host: &str, status: u16| {
        upstream.set_script(Step::status(status)).unwrap();
        service.clone().oneshot(get_from(&format!("http://{host}/"))).await.unwrap();
    };
    // Exceeds the maximum number of keys.
    let call_many_keys = async |round: u32| {
        for host in 0..5_000 {
            call(&format!("h{round}-{host}"), OK).await;
        }
    };
    call("bad", OK).await;
    advance(seconds(5)).await;
    for _ in 0..4 {
        call("bad", BAD).await;
    }
    call("ok", BAD).await;
    call("ok", OK).await;
    advance(seconds(9)).await;
    call_many_keys(0).await;
    assert!(layer.handle().get("bad").is_some() && layer.handle().get("ok").is_none());
    advance(seconds(1)).await;
    call_many_keys(1).await;
    assert!(layer.handle().get("bad").is_none());
    // A circuit with four failures is not evicted, because the fifth failure opens it.
    for _ in 0..4 {
        call("bad", BAD).await;
    }
    call_many_keys(2).await;
    call("bad", BAD).await;
    assert_eq!(layer.handle().get("bad").unwrap().state(), State::Open);
}
