//! Without a ratio, so that nothing opens it but failures in a row.

use super::*;

/// Opens at the fifth failure in a row, and at nothing else.
fn five() -> CircuitBreakerLayer {
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

/// The fifth failure from here on opens it, and none before that.
async fn is_opened_by_the_fifth(layer: &CircuitBreakerLayer, upstream: &FlakyService) {
    calls(layer, upstream, 4, BAD).await;
    assert_eq!(layer.handle().state(), State::Closed);
    calls(layer, upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

/// One that has been open for as long as it stays so: the next call is a probe.
async fn due(upstream: &FlakyService) -> CircuitBreakerLayer {
    let layer = five();
    open(&layer, upstream).await;
    advance(seconds(2)).await;
    layer
}

#[tokio::test(start_paused = true)]
async fn so_many_failures_in_a_row_open_it_whatever_part_of_the_calls_they_are() {
    for successes in [0, 1, 1_000] {
        let (upstream, layer) = (upstream(Step::status(WELL)), five());
        calls(&layer, &upstream, successes, WELL).await;
        calls(&layer, &upstream, 4, BAD).await;
        // However long ago they were.
        advance(seconds(3_600)).await;
        assert_eq!(layer.handle().state(), State::Closed);
        calls(&layer, &upstream, 1, BAD).await;
        assert_eq!(layer.handle().state(), State::Open);
        let error = layer.layer(upstream).oneshot(get()).await.unwrap_err();
        assert_eq!(refusal(&error).opened_by().unwrap().cause(), Cause::BadGateway);
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_ends_a_row_so_that_any_number_of_shorter_ones_opens_nothing() {
    let (upstream, layer) = (upstream(Step::status(WELL)), five());
    for _ in 0..500 {
        calls(&layer, &upstream, 4, BAD).await;
        calls(&layer, &upstream, 1, WELL).await;
        assert_eq!(layer.handle().state(), State::Closed);
    }
    is_opened_by_the_fifth(&layer, &upstream).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_but_failures_opens_it_no_earlier_than_the_row_is_long_enough() {
    let (upstream, layer) = (upstream(Step::status(WELL)), five().min_calls(1));
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
async fn neither_ratio_nor_row_opens_nothing_but_what_is_forced() {
    let (upstream, layer) = (upstream(Step::status(WELL)), five().consecutive_failures(None));
    calls(&layer, &upstream, 1_000, BAD).await;
    advance(seconds(5)).await;
    calls(&layer, &upstream, 1_000, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    layer.handle().force_open();
    assert!(layer.layer(upstream).oneshot(get()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_opens_it_again() {
    let upstream = upstream(Step::status(WELL));
    let layer = due(&upstream).await;
    calls(&layer, &upstream, PROBES as usize - 1, WELL).await;
    assert_eq!(counts(&layer), (State::HalfOpen, 4, 0));
    calls(&layer, &upstream, 1, BAD).await;
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn it_closes_once_all_probes_have_succeeded_and_the_row_begins_anew() {
    let upstream = upstream(Step::status(WELL));
    let layer = due(&upstream).await;
    for succeeded in 0..PROBES {
        assert_eq!(counts(&layer).0, if succeeded == 0 { State::Open } else { State::HalfOpen });
        calls(&layer, &upstream, 1, WELL).await;
    }
    is_opened_by_the_fifth(&layer, &upstream).await;
}

#[tokio::test(start_paused = true)]
async fn results_from_before_it_opened_neither_make_a_row_longer_nor_end_it() {
    for late_status in [BAD, WELL] {
        let upstream = upstream(Step::status(late_status).delay(seconds(3)));
        let layer = five();
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
async fn a_snapshot_counts_nothing_while_it_is_closed() {
    let (upstream, layer) = (upstream(Step::status(WELL)), five());
    calls(&layer, &upstream, 100, WELL).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    calls(&layer, &upstream, 4, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 0, 0));
    // One that has a ratio as well does.
    let layer = five().failure_ratio(Ratio::percent(50));
    calls(&layer, &upstream, 100, WELL).await;
    calls(&layer, &upstream, 4, BAD).await;
    assert_eq!(counts(&layer), (State::Closed, 104, 4));
}

#[tokio::test(start_paused = true)]
async fn what_is_told_when_it_opens_is_the_row() {
    let (upstream, layer) = (upstream(Step::status(WELL)), five());
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
async fn slow_calls_are_of_the_row() {
    let upstream = upstream(Step::ok("").delay(seconds(3)));
    let layer = five().slow_call_threshold(seconds(2));
    for _ in 0..5 {
        assert_eq!(layer.handle().state(), State::Closed);
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Open);
    // A fast one ends it.
    let layer = five().slow_call_threshold(seconds(2));
    for delay in [3, 3, 3, 3, 1, 3, 3, 3, 3] {
        upstream.set_script(Step::ok("").delay(seconds(delay))).unwrap();
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_row_of_a_key_is_kept_for_as_long_as_a_window_looks_back() {
    let upstream = upstream(Step::status(WELL));
    let layer = five().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    let call = async |host: &str, status: u16| {
        upstream.set_script(Step::status(status)).unwrap();
        service.clone().oneshot(get_from(&format!("http://{host}/"))).await.unwrap();
    };
    // More than there is room for.
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
    // And not without a reason: the fifth would have opened it.
    for _ in 0..4 {
        call("bad", BAD).await;
    }
    flood(2).await;
    call("bad", BAD).await;
    assert_eq!(layer.handle().get("bad").unwrap().state(), State::Open);
}
