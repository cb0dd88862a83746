//! `CircuitBreakerLayer`: when it opens, when it closes, and whom it lets pass.

mod balance;
mod boundaries;
mod consecutive_failures;
mod observability;
mod panics;
mod peer_bugs;
mod readiness;
mod service;
mod settings;
mod threads;
mod upstream;

use std::{num::NonZeroU32, time::Duration};

use http::StatusCode;
use seawall::{
    BoxError, Cause, CircuitBreakerLayer, ErrorResponseLayer, Processed, Ratio, RetryLayer,
    circuit_breaker::{CircuitOpen, State, by_authority},
    classify::classify_error,
    find_source,
    retry::{Backoff, Budget, RetriesExhausted, StopReason},
    test_util::{FlakyService, Step},
};
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tracing::level_filters::LevelFilter;

use self::upstream::{get, get_from, upstream};
use crate::log_capture::Recorder;

const PROBES: u32 = 5;

/// Opens at the second call if one of two failed.
fn quick() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().min_calls(2)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refusal(error: &BoxError) -> &CircuitOpen {
    find_source(&**error).expect("refused by the circuit")
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_half_of_twenty_calls_and_not_before() {
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
    assert_eq!(refusal(&error).opened_by().unwrap().cause(), Cause::BadGateway);
    assert_eq!(upstream.requests(), 20);
}

#[tokio::test(start_paused = true)]
async fn below_the_ratio_it_stays_closed_however_many_fail() {
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
async fn failures_in_a_row_open_it_when_asked_for_and_a_success_ends_the_row() {
    let upstream = upstream(Step::status(502));
    let layer = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::new(3));
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
async fn slow_calls_count_as_failures_when_asked_for_also_when_they_are_given_up() {
    let upstream = upstream(Step::ok("").delay(seconds(3)));
    let layer = quick().slow_call_threshold(seconds(2));
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

/// Opens the circuit of `layer` around `upstream`, which fails.
async fn open(layer: &CircuitBreakerLayer, upstream: &FlakyService) {
    upstream.set_script(Step::status(502)).unwrap();
    while layer.handle().state() == State::Closed {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
}

const STEP: Duration = Duration::from_millis(10);

/// An upstream that is called every 10 ms, and well; and the circuit around it.
async fn busy_for_ten_seconds() -> (FlakyService, CircuitBreakerLayer) {
    let (upstream, layer) = (upstream(Step::status(200)), CircuitBreakerLayer::new());
    for _ in 0..1_000 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        advance(STEP).await;
    }
    (upstream, layer)
}

#[tokio::test(start_paused = true)]
async fn when_nothing_succeeds_a_tenth_of_the_window_is_enough() {
    let (upstream, layer) = busy_for_ten_seconds().await;
    upstream.set_script(Step::status(502)).unwrap();
    let failing = Instant::now();
    while layer.handle().state() == State::Closed {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        advance(STEP).await;
    }
    let took = failing.elapsed();
    assert!(took >= seconds(1) && took <= seconds(1) + 2 * STEP, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn one_success_in_a_hundred_is_enough_to_wait_for_half_of_the_window() {
    let (upstream, layer) = busy_for_ten_seconds().await;
    for call in 0..400 {
        upstream.set_script(Step::status(if call % 99 == 98 { 200 } else { 502 })).unwrap();
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        assert_eq!(layer.handle().state(), State::Closed);
        advance(STEP).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fewer_failures_than_the_least_calls_open_nothing_however_long_nothing_succeeds() {
    let upstream = upstream(Step::status(502));
    let layer = CircuitBreakerLayer::new();
    for _ in 0..19 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        assert_eq!(layer.handle().state(), State::Closed);
        advance(Duration::from_millis(900)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn failures_before_a_silence_say_nothing_of_those_after_it() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new().min_calls(4);
    let service = layer.layer(upstream.clone());
    for _ in 0..20 {
        service.clone().oneshot(get()).await.unwrap();
    }
    upstream.set_script(Step::status(502)).unwrap();
    for silence in [seconds(2), Duration::ZERO] {
        for _ in 0..4 {
            service.clone().oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().state(), State::Closed);
        advance(silence).await;
    }
    // Without one, a second later.
    advance(seconds(1)).await;
    service.oneshot(get()).await.unwrap();
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn it_stays_open_for_two_seconds_growing_by_half_to_five_less_a_fifth_at_most() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    open(&layer, &upstream).await;
    let service = layer.layer(upstream.clone());
    for most in [2.0, 3.0, 4.5, 5.0, 5.0] {
        let wait = layer.handle().snapshot().next_probe().unwrap();
        assert!((0.8 * most..=most).contains(&wait.as_secs_f64()), "{wait:?} of {most}");
        let error = service.clone().oneshot(get()).await.unwrap_err();
        assert_eq!(refusal(&error).retry_after(), Some(wait));
        advance(wait).await;
        // It opens as soon as it cannot close any more.
        for _ in 0..3 {
            service.clone().oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_keeps_it_open_longer_up_to_half_a_minute() {
    for (asked, open_for) in [("10", seconds(10)), ("3600", seconds(30))] {
        let upstream = upstream(Step::status(503).header("retry-after", asked));
        let layer = quick();
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().snapshot().next_probe(), Some(open_for));
    }
}

#[tokio::test(start_paused = true)]
async fn it_closes_within_the_open_time_and_one_round_of_probes_once_the_upstream_is_back() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    open(&layer, &upstream).await;
    upstream.set_script(Step::ok("").delay(Duration::from_millis(100))).unwrap();
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    // A hundred callers, each trying again at once.
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
    // The two that opened it, the probes, and each other caller once.
    assert_eq!(upstream.requests(), 2 + 100);
}

#[tokio::test(start_paused = true)]
async fn of_a_hundred_callers_exactly_the_probes_pass_while_it_is_half_open() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    open(&layer, &upstream).await;
    let before = upstream.requests();
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let mut calls: Vec<_> =
        (0..100).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
    let refused = calls.iter_mut().filter_map(|call| match call.poll() {
        std::task::Poll::Ready(outcome) => Some(outcome.unwrap_err()),
        std::task::Poll::Pending => None,
    });
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len() as u32, 100 - PROBES);
    assert_eq!(upstream.requests() - before, u64::from(PROBES));
    assert_eq!(refusal(&refused[0]).retry_after(), Some(seconds(1)));
    assert_eq!(layer.handle().state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_ends_makes_room_when_its_lease_is_over() {
    makes_room_after(&quick().probe_timeout(seconds(20)), 20).await;
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_probe_is_thirty_seconds_if_nothing_else_is_said() {
    makes_room_after(&quick(), 30).await;
}

async fn makes_room_after(layer: &CircuitBreakerLayer, lease: u64) {
    let upstream = upstream(Step::status(502));
    open(layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let mut hang: Vec<_> =
        (0..PROBES).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get()))).collect();
    for call in &mut hang {
        assert_pending!(call.poll());
    }
    upstream.set_script(Step::status(200)).unwrap();
    let service = layer.layer(upstream.clone());
    advance(seconds(lease - 1)).await;
    assert!(service.clone().oneshot(get()).await.is_err());
    advance(seconds(1)).await;
    for _ in 0..3 {
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
    drop(hang);
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_circuit_of_its_own() {
    let upstream = upstream(Step::status(502));
    let layer = quick().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for _ in 0..2 {
        service.clone().oneshot(get_from("http://a/")).await.unwrap();
    }
    let error = service.clone().oneshot(get_from("http://u:p@a/other")).await.unwrap_err();
    assert_eq!(refusal(&error).key(), Some("a"));
    assert!(service.clone().oneshot(get_from("http://b/")).await.is_ok());
    let handle = layer.handle();
    assert_eq!(handle.get("a").unwrap().state(), State::Open);
    assert_eq!(handle.get("b").unwrap().state(), State::Closed);
    assert!(handle.get("c").is_none());
    let mut keys: Vec<_> =
        handle.all().iter().map(|circuit| circuit.key().unwrap().to_owned()).collect();
    keys.sort();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_key_pass_and_do_not_count() {
    let upstream = upstream(Step::status(502));
    let layer = quick().per_key(by_authority);
    for _ in 0..50 {
        layer.layer(upstream.clone()).oneshot(get_from("/x")).await.unwrap();
    }
    assert!(layer.handle().all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_keys_is_bounded_and_those_beyond_pass() {
    let upstream = upstream(Step::status(502));
    let layer = quick().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for key in 0..100_000 {
        let request = get_from(&format!("http://h{key}/"));
        assert!(service.clone().oneshot(request).await.is_ok());
    }
    assert_eq!(layer.handle().all().len(), 4_096);
    // Once their failures are out of the window, they make room.
    advance(seconds(20)).await;
    service.clone().oneshot(get_from("http://new/")).await.unwrap();
    assert_eq!(layer.handle().all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_longer_than_any_host_has_no_circuit() {
    let layer = quick().per_key(by_authority);
    for length in [1_024, 1_025, 60_000] {
        for _ in 0..50 {
            let request = get_from(&format!("http://{}/", "h".repeat(length)));
            let _ = layer.layer(upstream(Step::status(502))).oneshot(request).await;
        }
    }
    let lengths: Vec<_> =
        layer.handle().all().iter().map(|circuit| circuit.key().unwrap().len()).collect();
    assert_eq!(lengths, [1_024]);
}

#[tokio::test(start_paused = true)]
async fn services_that_wait_for_their_next_call_keep_no_key_from_being_forgotten() {
    let upstream = upstream(Step::status(200));
    let layer = quick().per_key(by_authority);
    let mut services = Vec::new();
    for key in 0..4_096 {
        let mut service = layer.layer(upstream.clone());
        for _ in 0..3 {
            let request = get_from(&format!("http://h{key}/"));
            (&mut service).oneshot(request).await.unwrap();
        }
        services.push(service);
    }
    layer.layer(upstream.clone()).oneshot(get_from("http://new/")).await.unwrap();
    assert_eq!(layer.handle().all().len(), 1);
    // And count in the circuit that others see.
    upstream.set_script(Step::status(502)).unwrap();
    for _ in 0..3 {
        let request = get_from("http://h7/");
        let _ = (&mut services[7]).oneshot(request).await;
    }
    assert_eq!(layer.handle().get("h7").unwrap().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_not_forgotten_for_another_key() {
    let upstream = upstream(Step::status(502));
    let layer = quick().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for _ in 0..2 {
        service.clone().oneshot(get_from("http://down/")).await.unwrap();
    }
    layer.handle().get("down").unwrap().force_open();
    upstream.set_script(Step::status(200)).unwrap();
    for round in 0..3 {
        for key in 0..5_000 {
            let request = get_from(&format!("http://h{round}-{key}/"));
            service.clone().oneshot(request).await.unwrap();
        }
        advance(seconds(60)).await;
    }
    assert_eq!(layer.handle().get("down").unwrap().state(), State::ForcedOpen);
    assert!(layer.handle().all().len() <= 4_096);
}

#[test]
fn what_is_debugged_says_what_it_is() {
    let layer =
        CircuitBreakerLayer::new().failure_predicate(|_| true).failure_ratio(Ratio::percent(7));
    let text = format!("{layer:?}");
    assert!(text.contains("failure_predicate: Some") && text.contains("70000"), "{text}");
    let text = format!("{:?}", CircuitBreakerLayer::new().per_key(by_authority));
    assert!(text.contains("failure_predicate: None") && text.contains("BoundedMap"), "{text}");
    let service = CircuitBreakerLayer::new().layer(());
    assert!(format!("{service:?}").starts_with("CircuitBreaker { inner: ()"));
}

#[tokio::test(start_paused = true)]
async fn a_request_of_any_kind_can_have_a_key() {
    let layer = quick()
        .classifier(seawall::classify_fn(
            |outcome: Result<&(), &(dyn std::error::Error + 'static)>| {
                outcome.err().map(classify_error)
            },
        ))
        .per_request_key(|request: &String| Some(request.as_str().into()));
    let service = layer.layer(tower::service_fn(async |request: String| match &*request {
        "bad" => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        _ => Ok(()),
    }));
    for _ in 0..2 {
        service.clone().oneshot("bad".into()).await.unwrap_err();
        service.clone().oneshot("good".into()).await.unwrap();
    }
    assert_eq!(layer.handle().get("bad").unwrap().state(), State::Open);
    assert_eq!(layer.handle().get("good").unwrap().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_broken_route_of_four_leaves_the_others_open() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for call in 0..400 {
        upstream.set_script(Step::status(if call % 4 == 0 { 500 } else { 200 })).unwrap();
        let request = get_from(&format!("http://a/route{}", call % 4));
        service.clone().oneshot(request).await.unwrap();
    }
    assert_eq!(layer.handle().get("a").unwrap().snapshot().failures(), 0);
    // Not even when it is the only one that is asked for, unless its errors are to count.
    upstream.set_script(Step::status(500)).unwrap();
    for (count, state) in [(false, State::Closed), (true, State::Open)] {
        let layer = CircuitBreakerLayer::new().count_origin_errors(count);
        for _ in 0..20 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_forced_stays_until_it_is_released() {
    let upstream = upstream(Step::status(200));
    let layer = quick();
    let (service, handle) = (layer.layer(upstream.clone()), layer.handle());
    handle.force_open();
    advance(seconds(3_600)).await;
    let error = service.clone().oneshot(get()).await.unwrap_err();
    let refused = refusal(&error);
    assert_eq!((refused.opened_by(), refused.retry_after()), (None, None));
    assert_eq!(refused.time_open(), seconds(3_600));
    assert_eq!(error.to_string(), "circuit open, forced");
    handle.release();
    assert!(service.clone().oneshot(get()).await.is_ok());

    handle.force_closed();
    upstream.set_script(Step::status(502)).unwrap();
    for _ in 0..50 {
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(handle.state(), State::ForcedClosed);
    handle.release();
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state(), snapshot.calls()), (State::Closed, 0));
    handle.release();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn in_shadow_it_counts_and_reports_but_lets_all_pass() {
    let upstream = upstream(Step::status(502));
    let layer = quick().dry_run(true);
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    for _ in 0..50 {
        assert!(layer.layer(upstream.clone()).oneshot(get()).await.is_ok());
    }
    assert_eq!((layer.handle().state(), upstream.requests()), (State::Open, 50));
    assert_eq!(layer.handle().snapshot().rejected(), 48);
    assert_eq!(recorder.events()[0].get("dry_run"), Some("true"));
}

#[tokio::test(start_paused = true)]
async fn inside_retry_an_open_circuit_ends_the_retrying_at_once() {
    let upstream = upstream(Step::status(502));
    let layer = quick();
    let retry = RetryLayer::new().max_retries(9).backoff(Backoff::none()).budget(Budget::none());
    let service = ServiceBuilder::new().layer(retry).layer(layer).service(upstream.clone());
    let error = service.oneshot(get()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.reason(), gave_up.attempts().get()), (StopReason::CircuitOpen, 3));
    assert_eq!(upstream.requests(), 2);
    assert_eq!(gave_up.last_response().unwrap().status(), 502);
    // Of the whole call: the two attempts before may have been.
    assert_eq!(classify_error(&*error).processed(), Processed::Maybe);
    let source = find_source::<CircuitOpen>(&*error).unwrap();
    assert_eq!(classify_error(source).processed(), Processed::No);
}

#[tokio::test(start_paused = true)]
async fn a_server_answers_503_with_the_wait_and_the_error_type() {
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

#[tokio::test(start_paused = true)]
async fn each_change_of_state_is_one_event_with_its_cause_and_counts() {
    let upstream = upstream(Step::status(502));
    let layer = quick().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    for _ in 0..4 {
        let _ = service.clone().oneshot(get_from("http://a/")).await;
    }
    upstream.set_script(Step::status(200)).unwrap();
    advance(seconds(2)).await;
    for _ in 0..3 {
        service.clone().oneshot(get_from("http://a/")).await.unwrap();
    }
    let events = recorder.events();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            ["old", "new", "cause", "calls", "failures", "refused"].map(|it| event.get(it).unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ["closed", "open", "bad_gateway", "2", "2", "0"],
            ["open", "half_open", "bad_gateway", "0", "0", "2"],
            ["half_open", "closed", "bad_gateway", "3", "0", "2"],
        ]
    );
    assert_eq!(events[0].get("key"), Some("\"a\""));
}
