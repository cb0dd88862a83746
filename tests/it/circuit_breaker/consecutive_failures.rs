//! `consecutive_failures` without a failure ratio.

use super::*;

/// A layer whose circuit opens only at the fifth consecutive failure.
fn opens_at_five() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().failure_ratio(None).consecutive_failures(NonZeroU32::new(5))
}

const WELL: u16 = 200;
const BAD: u16 = 502;

async fn calls(layer: &CircuitBreakerLayer, upstream: &FlakyService, count: usize, status: u16) {
    upstream.set_script(Step::status(status)).unwrap();
    for _ in 0..count {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
}

fn counts(layer: &CircuitBreakerLayer) -> (State, u64, u64) {
    let snapshot = layer.handle().snapshot();
    (snapshot.state(), snapshot.calls(), snapshot.failures())
}

/// Asserts that the circuit opens at the fifth failure from here on.
async fn assert_fifth_failure_opens(layer: &CircuitBreakerLayer, upstream: &FlakyService) {
    calls(layer, upstream, 4, BAD).await;
    assert_eq!(layer.handle().state(), State::Closed);
    calls(layer, upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

/// A layer whose open duration has passed, so that the next call is a probe.
async fn due_for_probe(upstream: &FlakyService) -> CircuitBreakerLayer {
    let layer = opens_at_five();
    open(&layer, upstream).await;
    advance(seconds(2)).await;
    layer
}

#[tokio::test(start_paused = true)]
async fn consecutive_failures_open_circuit_at_any_failure_ratio() {
    for successes in [0, 1, 1_000] {
        let (upstream, layer) = (upstream(Step::status(WELL)), opens_at_five());
        calls(&layer, &upstream, successes, WELL).await;
        calls(&layer, &upstream, 4, BAD).await;
        // Consecutive failures do not expire.
        advance(seconds(3_600)).await;
        assert_eq!(layer.handle().state(), State::Closed);
        calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Open);
        let error = layer.layer(upstream).oneshot(get()).await.unwrap_err();
        assert_eq!(refusal(&error).opened_by().unwrap().cause(), Cause::BadGateway);
    }
}

#[tokio::test(start_paused = true)]
async fn success_resets_consecutive_failures() {
    let (upstream, layer) = (upstream(Step::status(WELL)), opens_at_five());
    for _ in 0..500 {
        calls(&layer, &upstream, 4, BAD).await;
        calls(&layer, &upstream, 1, WELL).await;
        assert_eq!(layer.handle().state(), State::Closed);
    }
    assert_fifth_failure_opens(&layer, &upstream).await;
}

#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_until_consecutive_failure_limit() {
    let (upstream, layer) = (upstream(Step::status(WELL)), opens_at_five().min_calls(1));
    let layer = layer.consecutive_failures(NonZeroU32::new(1_000));
    for _ in 0..999 {
        calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Closed);
        advance(STEP).await;
    }
    calls(&layer, &upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn circuit_without_thresholds_opens_only_when_forced() {
    let (upstream, layer) =
        (upstream(Step::status(WELL)), opens_at_five().consecutive_failures(None));
    calls(&layer, &upstream, 1_000, BAD).await;
    advance(seconds(5)).await;
    calls(&layer, &upstream, 1_000, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    layer.handle().force_open();
    assert!(layer.layer(upstream).oneshot(get()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_reopens_circuit() {
    let upstream = upstream(Step::status(WELL));
    let layer = due_for_probe(&upstream).await;
    calls(&layer, &upstream, PROBES as usize - 1, WELL).await;
    assert_eq!(counts(&layer), (State::HalfOpen, 4, 0));
    calls(&layer, &upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn successful_probes_close_circuit_and_reset_failures() {
    let upstream = upstream(Step::status(WELL));
    let layer = due_for_probe(&upstream).await;
    for succeeded in 0..PROBES {
        assert_eq!(counts(&layer).0, if succeeded == 0 { State::Open } else { State::HalfOpen });
        calls(&layer, &upstream, 1, WELL).await;
    }
    assert_fifth_failure_opens(&layer, &upstream).await;
}

#[tokio::test(start_paused = true)]
async fn stale_results_do_not_change_consecutive_failures() {
    for late_status in [BAD, WELL] {
        let upstream = upstream(Step::status(late_status).delay(seconds(3)));
        let layer = opens_at_five();
        let mut late: Vec<_> =
            (0..10).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
        for call in &mut late {
            assert_pending!(call.poll());
        }
        open(&layer, &upstream).await;
        advance(seconds(2)).await;
        calls(&layer, &upstream, PROBES as usize, WELL).await;
        calls(&layer, &upstream, 4, BAD).await;
        advance(seconds(1)).await;
        assert!(late.iter_mut().all(|call| call.poll().is_ready()));
        let snapshot = layer.handle().snapshot();
        assert_eq!((snapshot.state(), snapshot.stale_results()), (State::Closed, 10));
        calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn closed_snapshot_has_no_counts_without_failure_ratio() {
    let (upstream, layer) = (upstream(Step::status(WELL)), opens_at_five());
    calls(&layer, &upstream, 100, WELL).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    calls(&layer, &upstream, 4, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    // A circuit with a failure ratio has counts.
    let layer = opens_at_five().failure_ratio(Ratio::percent(50));
    calls(&layer, &upstream, 100, WELL).await;
    calls(&layer, &upstream, 4, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 104, 4));
}

#[tokio::test(start_paused = true)]
async fn open_event_reports_consecutive_failures() {
    let (upstream, layer) = (upstream(Step::status(WELL)), opens_at_five());
    calls(&layer, &upstream, 100, WELL).await;
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    calls(&layer, &upstream, 5, BAD).await;
    let events = recorder.events();
    let told = |field| events[0].get(field);
    assert_eq!(
        (told("new"), told("calls"), told("failures")),
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
async fn consecutive_failures_of_key_are_kept_for_one_window() {
    let upstream = upstream(Step::status(WELL));
    let layer = opens_at_five().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    let call = async |host: &str, status: u16| {
        upstream.set_script(Step::status(status)).unwrap();
        service.clone().oneshot(get_from(&format!("http://{host}/"))).await.unwrap();
    };
    // More keys than the bound.
    let flood = async |round: u32| {
        for host in 0..5_000 {
            call(&format!("h{round}-{host}"), WELL).await;
        }
    };
    call("bad", WELL).await;
    advance(seconds(5)).await;
    for _ in 0..4 {
        call("bad", BAD).await;
    }
    call("well", BAD).await;
    call("well", WELL).await;
    advance(seconds(9)).await;
    flood(0).await;
    assert!(layer.handle().get("bad").is_some() && layer.handle().get("well").is_none());
    advance(seconds(1)).await;
    flood(1).await;
    assert!(layer.handle().get("bad").is_none());
    // A circuit with four failures is kept, since the fifth opens it.
    for _ in 0..4 {
        call("bad", BAD).await;
    }
    flood(2).await;
    call("bad", BAD).await;
    assert_eq!(layer.handle().get("bad").unwrap().state(), State::Open);
}
