//! The budget: a limit for the retries of all calls together.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use seawall::{
    BoxError, Ratio,
    classify::classify_error,
    keys::by_authority,
    retry::{Budget, RetryLayer, RetryOverride, RetryReport, StopReason},
    test_util::Step,
};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{Body, call, get_with_body, immediate_with_budget, report, stop_reason};
use crate::support::{get, respond_with, response, upstream};

/// The default budget allows one retry per five calls, and a minimum of three retries.
#[tokio::test(start_paused = true)]
async fn default_allows_four_retries_and_three_without_other_calls() {
    let statuses: Vec<u16> = [200; 20].into_iter().chain([502; 5]).collect();
    let script = respond_with(&statuses);
    let layer = RetryLayer::new();
    for _ in 0..20 {
        call(&layer, &script, get_with_body()).await.unwrap();
    }
    let response = call(&layer, &script, get_with_body()).await.unwrap();
    assert_eq!(report(&response), (5, Some(StopReason::MaxRetries)));

    let response =
        call(&RetryLayer::new(), &respond_with(&[502; 4]), get_with_body()).await.unwrap();
    assert_eq!(report(&response), (4, Some(StopReason::BudgetExhausted)));
}

/// Returns a service that responds with 502 to each request and counts the requests.
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
async fn budget_bounds_load_of_1000_callers_in_full_outage() {
    let sent = Arc::default();
    let service = RetryLayer::new().layer(outage(&sent));
    let started = Instant::now();
    let (mut offered, mut calls) = (0, tokio::task::JoinSet::new());
    // For 30 seconds, each of 1,000 callers repeats its call 100 ms after a failure.
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
    assert!(sent <= offered + offered / 5 + 3 * 3, "{sent} requests for {offered} calls");
    assert!(
        sent > offered + offered / 10,
        "expected more retries, found {sent} requests for {offered} calls"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_calls_in_window_send_at_most_thirteen_requests() {
    let sent = Arc::default();
    let service = immediate_with_budget().layer(outage(&sent));
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
async fn exhausted_budget_returns_response_with_stop_reason() {
    let script = respond_with(&[502; 5]);
    let service =
        immediate_with_budget().budget(Budget::new(Ratio::percent(0), 1)).layer(script.clone());
    assert_eq!(
        stop_reason(&service.clone().oneshot(get()).await.unwrap()),
        Some(StopReason::BudgetExhausted)
    );
    let response = service.oneshot(get()).await.unwrap();
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(
        (report.attempts().get(), report.stop_reason()),
        (1, Some(StopReason::BudgetExhausted))
    );
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn clones_of_layer_share_budget_and_other_layers_do_not() {
    let layer = immediate_with_budget().budget(Budget::new(Ratio::percent(0), 1));
    let script = respond_with(&[502; 9]);
    layer.layer(script.clone()).oneshot(get()).await.unwrap();
    layer.clone().max_retries(9).layer(script.clone()).oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 3);
    immediate_with_budget()
        .budget(Budget::new(Ratio::percent(0), 1))
        .layer(script.clone())
        .oneshot(get())
        .await
        .unwrap();
    assert_eq!(script.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn budget_charges_retry_of_refused_connection() {
    // `Step::error` counts the request, whereas `Step::refuse` does not.
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let script = upstream(Step::error(refused));
    let service =
        immediate_with_budget().budget(Budget::new(Ratio::percent(0), 1)).layer(script.clone());
    for _ in 0..2 {
        service.clone().oneshot(get()).await.unwrap_err();
    }
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn budget_ignores_non_replayable_request() {
    let script = respond_with(&[502, 502, 502]);
    let layer =
        immediate_with_budget().budget(Budget::new(Ratio::percent(0), 1)).max_replay_bytes(1);
    let service = layer.layer(script.clone());
    let large = Request::put("http://upstream/").body(Body::from("large")).unwrap();
    assert_eq!(
        stop_reason(&service.clone().oneshot(large).await.unwrap()),
        Some(StopReason::NotReplayable)
    );
    service.oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn budget_per_key_separates_authorities() {
    let script = respond_with(&[502; 8]);
    let one = Budget::new(Ratio::percent(0), 1);
    let service = immediate_with_budget().budget_per_key(one, by_authority).layer(script.clone());
    for (host, sent) in [("a", 2), ("a", 3), ("b", 5), ("a", 6), ("b", 7)] {
        let request = Request::get(format!("http://{host}/")).body(Body::default()).unwrap();
        service.clone().oneshot(request).await.unwrap();
        assert_eq!(script.requests(), sent, "{host}");
    }
}

#[test]
fn concurrent_threads_do_not_overdraw_budget() {
    let layer = immediate_with_budget().budget(Budget::new(Ratio::percent(20), 0)).max_retries(1);
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
    // All calls fall into one window, unless 8,000 calls take more than nine seconds. Then the
    // budget admits fewer retries.
    let sent = sent.load(Ordering::Relaxed);
    assert!((8_000..=9_600).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn request_override_spends_layer_budget() {
    let script = respond_with(&[502; 4]);
    let service =
        immediate_with_budget().budget(Budget::new(Ratio::percent(0), 1)).layer(script.clone());
    for _ in 0..2 {
        let mut request = get();
        request
            .extensions_mut()
            .insert(RetryOverride::new(immediate_with_budget().budget(Budget::none())));
        assert_eq!(
            stop_reason(&service.clone().oneshot(request).await.unwrap()),
            Some(StopReason::BudgetExhausted)
        );
    }
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn non_http_request_skips_budget_key_function() {
    let layer = RetryLayer::new()
        .budget_per_key(Budget::default(), |_| panic!("the key function was called"))
        .clone_requests()
        .classifier(seawall::classify::classify_fn(
            |outcome: Result<&(), &(dyn std::error::Error + 'static)>| {
                outcome.err().map(classify_error)
            },
        ));
    let inner = service_fn(async |(): ()| Ok::<_, BoxError>(()));
    layer.layer(inner).oneshot(()).await.unwrap();
}
