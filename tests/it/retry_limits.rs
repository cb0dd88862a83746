//! `RetryLayer`: what limits it beyond a count. Budget, deadline, override; and what it tells.

use std::{
    error::Error,
    io,
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::Full;
use seawall::{
    BoxError, Cause, Classify, Deadline, Failure, HttpClassifier, Ratio, RetryLayer,
    classify::classify_error,
    classify_fn, find_source,
    retry::{
        Backoff, Budget, RetriesExhausted, RetryOverride, RetryReport, StopReason, by_authority,
    },
    test_util::{FlakyBody, Script, Step},
};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready_err, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock;

use crate::support::{answers, get, response, upstream};

type Body = Full<Bytes>;

fn eager() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

fn stop<B>(response: &Response<B>) -> Option<StopReason> {
    response.extensions().get::<RetryReport>().unwrap().stop_reason()
}

/// Answers 502 to all, and counts them.
fn outage(
    sent: &Arc<AtomicUsize>,
) -> impl Service<
    Request<seawall::retry::ReplayBody<Body>>,
    Response = Response<Body>,
    Error = BoxError,
    Future: Send,
> + Clone
+ Send
+ use<> {
    let sent = Arc::clone(sent);
    service_fn(move |_| {
        sent.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::task::yield_now().await;
            Ok(response(502))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn load_is_bounded_in_a_full_outage_with_a_thousand_concurrent_callers() {
    let sent = Arc::default();
    let service = RetryLayer::new().layer(outage(&sent));
    let started = Instant::now();
    let (mut offered, mut calls) = (0, tokio::task::JoinSet::new());
    // 1,000 callers, each calling again as soon as it is refused, for 30 seconds.
    for _ in 0..1_000 {
        let service = service.clone();
        calls.spawn(async move {
            let mut calls = 0_usize;
            while started.elapsed() < Duration::from_secs(30) {
                service.clone().oneshot(get()).await.unwrap();
                calls += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            calls
        });
    }
    while let Some(calls) = calls.join_next().await {
        offered += calls.unwrap();
    }
    let sent = sent.load(Ordering::Relaxed);
    assert!(offered > 100_000, "{offered}");
    // Three windows of ten seconds.
    assert!(sent <= offered + offered / 5 + 3 * 3, "{sent} sent for {offered}");
    assert!(sent > offered + offered / 10, "{sent} sent for {offered}: hardly retried at all");
}

#[tokio::test(start_paused = true)]
async fn ten_calls_in_a_window_make_at_most_thirteen_requests() {
    let sent = Arc::default();
    let service = eager().layer(outage(&sent));
    for _ in 0..10 {
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(sent.load(Ordering::Relaxed), 13);
    tokio::time::advance(Duration::from_secs(11)).await;
    for _ in 0..10 {
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(sent.load(Ordering::Relaxed), 26);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_returns_the_response_and_says_so() {
    let script = answers(&[502; 5]);
    let service = eager().budget(Budget::new(Ratio::percent(0), 1)).layer(script.clone());
    assert_eq!(
        stop(&service.clone().oneshot(get()).await.unwrap()),
        Some(StopReason::BudgetExhausted)
    );
    let response = service.oneshot(get()).await.unwrap();
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(
        (attempts.count().get(), attempts.stop_reason()),
        (1, Some(StopReason::BudgetExhausted))
    );
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn services_and_clones_of_one_layer_share_a_budget_and_other_layers_do_not() {
    let layer = eager().budget(Budget::new(Ratio::percent(0), 1));
    let script = answers(&[502; 9]);
    layer.layer(script.clone()).oneshot(get()).await.unwrap();
    layer.clone().max_retries(9).layer(script.clone()).oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 3);
    eager()
        .budget(Budget::new(Ratio::percent(0), 1))
        .layer(script.clone())
        .oneshot(get())
        .await
        .unwrap();
    assert_eq!(script.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_refused_connection_is_charged_too() {
    // Told by an error, so that it is counted.
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let script = upstream(Step::error(refused));
    let service = eager().budget(Budget::new(Ratio::percent(0), 1)).layer(script.clone());
    for _ in 0..2 {
        service.clone().oneshot(get()).await.unwrap_err();
    }
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_again_is_not_charged() {
    let script = answers(&[502, 502, 502]);
    let layer = eager().budget(Budget::new(Ratio::percent(0), 1)).max_replay_bytes(1);
    let service = layer.layer(script.clone());
    let large = Request::put("http://upstream/").body(Body::from("large")).unwrap();
    assert_eq!(
        stop(&service.clone().oneshot(large).await.unwrap()),
        Some(StopReason::NotReplayable)
    );
    service.oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_budget_can_be_had_for_each_authority() {
    let script = answers(&[502; 8]);
    let one = Budget::new(Ratio::percent(0), 1);
    let service = eager().budget_per_key(one, by_authority).layer(script.clone());
    for (host, sent) in [("a", 2), ("a", 3), ("b", 5), ("a", 6), ("b", 7)] {
        let request = Request::get(format!("http://{host}/")).body(Body::default()).unwrap();
        service.clone().oneshot(request).await.unwrap();
        assert_eq!(script.requests(), sent, "{host}");
    }
}

#[test]
fn no_burst_of_threads_overdraws_the_budget() {
    let layer = eager().budget(Budget::new(Ratio::percent(20), 0)).max_retries(1);
    let sent = Arc::default();
    let service = layer.layer(outage(&sent));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let service = service.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.unwrap().block_on(async {
                    for _ in 0..1_000 {
                        service.clone().oneshot(get()).await.unwrap();
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // All within one window, unless the machine takes more than nine seconds for 8,000 calls: then there are fewer.
    let sent = sent.load(Ordering::Relaxed);
    assert!((8_000..=9_600).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_could_not_end_before_the_deadline_is_not_begun() {
    for (left, needed, stop_expected, sent) in [
        (5_000, 0, None, 2),
        (999, 0, Some(StopReason::DeadlineTooNear), 1),
        (1_000, 0, None, 2),
        (1_499, 500, Some(StopReason::DeadlineTooNear), 1),
        (0, 0, Some(StopReason::DeadlineTooNear), 1),
    ] {
        let script = answers(&[502, 200]);
        let mut request = get();
        request.extensions_mut().insert(Deadline::within(Duration::from_millis(left)));
        let layer = RetryLayer::new()
            .backoff(Backoff::constant(Duration::from_secs(1)))
            .min_attempt_time(Duration::from_millis(needed));
        let response = layer.layer(script.clone()).oneshot(request).await.unwrap();
        assert_eq!((stop(&response), script.requests()), (stop_expected, sent), "{left} {needed}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_once_the_deadline_has_passed_not_even_without_a_wait() {
    let script = answers(&[502]);
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(Duration::ZERO));
    let response = eager().layer(script).oneshot(request).await.unwrap();
    assert_eq!(stop(&response), Some(StopReason::DeadlineTooNear));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_returns_the_response_at_once() {
    let script = upstream(Step::status(503).header("retry-after", "3"));
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(Duration::from_secs(2)));
    let started = Instant::now();
    let response = RetryLayer::new().layer(script).oneshot(request).await.unwrap();
    assert_eq!(
        (stop(&response), started.elapsed()),
        (Some(StopReason::DeadlineTooNear), Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_for_readiness_ends_with_the_deadline() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(
        eager().map_body(|_| Body::default()),
    );
    handle.allow(1);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(Duration::from_secs(2)));
    let mut call = task::spawn(service.call(request));
    handle.next_request().await.unwrap().1.send_response(response(502));
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_millis(1_990)).await;
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_millis(20)).await;
    assert!(call.is_woken());
    let error = assert_ready_err!(call.poll());
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.reason(), gave_up.attempts().get()), (StopReason::DeadlineTooNear, 1));
    assert_eq!(gave_up.last_response().unwrap().status(), 502);
    assert_eq!(classify_error(&*error).cause(), Cause::BadGateway);
}

#[test]
fn a_deadline_has_no_end_of_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert!(Deadline::within(Duration::MAX).remaining() > Duration::from_secs(900_000_000));
        assert_eq!(Deadline::within(Duration::ZERO).remaining(), Duration::ZERO);
    });
}

#[tokio::test(start_paused = true)]
async fn a_policy_in_the_request_overrides_the_layer_s() {
    let script = answers(&[418, 418, 502]);
    let service = eager().layer(script.clone());
    let mut request = get();
    let teapot = eager().retry_statuses([418]).max_retries(1);
    request.extensions_mut().insert(RetryOverride::new(teapot));
    assert_eq!(
        stop(&service.clone().oneshot(request).await.unwrap()),
        Some(StopReason::MaxRetries)
    );
    let mut request = get();
    request.extensions_mut().insert(RetryOverride::new(RetryLayer::new().max_retries(0)));
    service.oneshot(request).await.unwrap();
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_override_spends_from_the_layer_s_budget() {
    let script = answers(&[502; 4]);
    let service = eager().budget(Budget::new(Ratio::percent(0), 1)).layer(script.clone());
    for _ in 0..2 {
        let mut request = get();
        request.extensions_mut().insert(RetryOverride::new(eager().budget(Budget::none())));
        assert_eq!(
            stop(&service.clone().oneshot(request).await.unwrap()),
            Some(StopReason::BudgetExhausted)
        );
    }
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn raise_on_status_makes_an_error_of_a_response_that_would_be_retried_but_for_a_limit() {
    let layer = eager().error_on_exhausted_status(true).max_retries(1);
    let error = layer.layer(answers(&[502, 503])).oneshot(get()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.attempts().get(), gave_up.reason()), (2, StopReason::MaxRetries));
    assert_eq!(gave_up.last_response().unwrap().status(), 503);
    assert_eq!(classify_error(&*error).status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(layer.layer(answers(&[404])).oneshot(get()).await.is_ok());
    let post = Request::post("/").body(Body::default()).unwrap();
    assert!(layer.layer(answers(&[502])).oneshot(post).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_error_after_a_response_keeps_that_response_s_head() {
    let busy = Step::status(503).header("x-request-id", "17");
    let script = upstream([busy, Step::error(|| Failure::new(Cause::CircuitOpen))]);
    let error = eager().layer(script).oneshot(get()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!(gave_up.reason(), StopReason::CircuitOpen);
    assert_eq!(gave_up.last_response().unwrap().headers()["x-request-id"], "17");
    assert_eq!(
        error.to_string(),
        format!("gave up after 2 attempts in {:.1?} (circuit open): circuit open", Duration::ZERO)
    );
}

#[cfg(feature = "error-response")]
#[tokio::test(start_paused = true)]
async fn a_refusal_of_our_own_after_a_response_is_answered_with_that_response_s_status_and_wait() {
    let refused = Step::error(|| Failure::new(Cause::CircuitOpen));
    for (fails, status, wait) in [(refused, 503, Some("7")), (Step::reset(), 502, None)] {
        let script = upstream([Step::status(503).header("retry-after", "7"), fails]);
        let service = tower::ServiceBuilder::new()
            .layer(seawall::ErrorResponseLayer::new("edge"))
            .layer(RetryLayer::new().max_retries(1))
            .service(script);
        let response = service.oneshot(get()).await.unwrap();
        assert_eq!(response.status(), status);
        let told = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(told, wait);
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_refusal_is_retried_only_on_request() {
    for (cause, stop) in [
        (Cause::CircuitOpen, StopReason::CircuitOpen),
        (Cause::ConnectionLimitReached, StopReason::LimitReached),
    ] {
        let script = || {
            let refused = Step::error(move || Failure::new(cause));
            upstream([Step::status(502), refused, Step::status(200)])
        };
        let error = eager().layer(script()).oneshot(get()).await.unwrap_err();
        let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
        assert_eq!((gave_up.reason(), gave_up.attempts().get()), (stop, 2));
        let again = eager().retry_rejections(true).layer(script()).oneshot(get()).await;
        assert_eq!(again.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_failure_has_a_counter_of_its_own() {
    for (layer, again, stop) in [
        (eager().max_connect_retries(1), Step::refuse(), StopReason::MaxConnectRetries),
        (eager().max_read_retries(1), Step::reset(), StopReason::MaxReadRetries),
        (eager().max_status_retries(1), Step::status(502), StopReason::MaxStatusRetries),
    ] {
        let script = upstream([Step::refuse(), Step::reset(), Step::status(502), again]);
        match layer.max_retries(None).layer(script).oneshot(get()).await {
            Ok(response) => assert_eq!(self::stop(&response), Some(stop)),
            Err(error) => {
                assert_eq!(find_source::<RetriesExhausted>(&*error).unwrap().reason(), stop);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_sees_each_retry_before_its_wait() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let layer = {
        let seen = Arc::clone(&seen);
        RetryLayer::new().backoff(Backoff::constant(Duration::from_secs(2))).on_retry(
            move |retry| {
                let cause = retry.failure().cause();
                seen.lock().unwrap().push((
                    retry.attempt().get(),
                    cause,
                    retry.delay(),
                    Instant::now(),
                ));
            },
        )
    };
    let started = Instant::now();
    layer.layer(answers(&[502, 503, 200])).oneshot(get()).await.unwrap();
    let wait = Duration::from_secs(2);
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], (2, Cause::BadGateway, wait, started));
    assert_eq!((seen[1].0, seen[1].1), (3, Cause::Overloaded));
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_is_told_in_a_header_on_request() {
    let script = answers(&[502, 502, 200]);
    let layer = eager().attempt_header(HeaderName::from_static("x-attempt"));
    layer.layer(script.clone()).oneshot(get()).await.unwrap();
    let received = script.received();
    let told: Vec<_> = received.iter().map(|it| it.header("x-attempt")).collect();
    assert_eq!(told, [None, Some("2"), Some("3")]);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_attempts_leave_a_short_history() {
    let service = upstream(Script::new().times(9_999, Step::status(502)).then(Step::status(200)));
    let layer = eager().max_retries(None).budget(Budget::none());
    let response = layer.layer(service).oneshot(get()).await.unwrap();
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(attempts.count(), NonZeroU32::new(10_000).unwrap());
    assert_eq!(attempts.failed_attempts().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn the_settings_of_llm_clients_can_be_said() {
    // OpenAI's and Anthropic's SDKs: 2 retries, 0.5 to 8 s, 408, 409, 429 and 5xx, POST too, and the server's hints.
    let layer = RetryLayer::new()
        .max_retries(2)
        .retry_all_methods()
        .retry_statuses([408, 409, 429].into_iter().chain(500..600))
        .backoff(Backoff::exponential(Duration::from_millis(500)).max(Duration::from_secs(8)))
        .budget(Budget::none());
    let post = || Request::post("/").body(Body::from("{}")).unwrap();
    for status in [408, 409, 429, 500, 529] {
        let script = answers(&[status, status, 200]);
        assert_eq!(layer.layer(script.clone()).oneshot(post()).await.unwrap().status(), 200);
        let script = upstream(Step::status(status).header("x-should-retry", "false"));
        let response = layer.layer(script).oneshot(post()).await.unwrap();
        assert_eq!(stop(&response), Some(StopReason::ServerForbids));
    }
    let ms = Step::status(429).header("retry-after-ms", "1500");
    let script = upstream([ms, Step::status(200)]);
    let started = Instant::now();
    layer.layer(script).oneshot(post()).await.unwrap();
    let waited = started.elapsed();
    assert!((1_500..=1_652).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn limits_at_their_extremes_are_no_panic() {
    let layer = RetryLayer::new()
        .backoff(Backoff::exponential(Duration::MAX).max(Duration::MAX).jitter(false))
        .max_total_delay(Duration::MAX)
        .max_retry_after(Duration::MAX)
        .min_attempt_time(Duration::MAX)
        .max_replay_bytes(usize::MAX)
        .max_retries(u32::MAX);
    let mut call = task::spawn(layer.layer(answers(&[502])).oneshot(get()));
    assert_pending!(call.poll());
    let asked = classify_fn(|outcome: Result<&Response<FlakyBody>, &(dyn Error + 'static)>| {
        let failure = HttpClassifier::new().classify(outcome)?;
        Some(failure.with_retry_after(Some(Duration::MAX)))
    });
    let mut call = task::spawn(layer.classifier(asked).layer(answers(&[503])).oneshot(get()));
    assert_pending!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn a_status_below_400_is_retried_if_the_forcelist_has_it_and_is_a_failure_then() {
    let layer = eager().retry_statuses([202, 502]).max_retries(1);
    let wait = |status| Step::status(status).header("retry-after", "3");
    let started = Instant::now();
    let script = upstream([wait(202), wait(200)]);
    assert_eq!(layer.layer(script).oneshot(get()).await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_secs(3));
    let last = layer.layer(answers(&[502, 202])).oneshot(get()).await.unwrap();
    assert_eq!((last.status().as_u16(), stop(&last)), (202, Some(StopReason::MaxRetries)));
    let script = answers(&[202]);
    eager().layer(script.clone()).oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 1);
}
