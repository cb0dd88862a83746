//! Replacement and removal of each layer of the stack.

use std::{
    error::Error,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use seawall::{
    Cause, Failure,
    bad_gateway::Evidence,
    circuit_breaker::{CircuitBreakerLayer, State},
    classify::{Classify, HttpClassifier, classify_fn},
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    in_flight::InFlightLimitLayer,
    logging::{Level, LoggingLayer},
    retry::{Backoff, Budget, ReplayBody, RetryLayer, RetryReport, StopReason},
    standard::{InvalidTimeouts, Standard, StandardLayer, Timeouts},
};
use static_assertions::assert_impl_all;
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;

use super::{Body, cause, get, secs, silent, status, upstream};
use crate::{log_capture::Recorder, support::ScriptedBody, support::Step};

const URL: &str = "http://billing/";

assert_impl_all!(StandardLayer: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(Standard<()>: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(seawall::standard::ResponseBody<Body>: Send, Sync, Unpin, std::fmt::Debug);

/// A struct that stores the layer without a type parameter.
#[derive(Clone, Debug)]
struct Billing {
    layer: StandardLayer,
}

#[tokio::test(start_paused = true)]
async fn stack_keeps_type_when_layers_change() {
    let mut billing = Billing { layer: StandardLayer::new("billing") };
    for off in [false, true] {
        let layer = billing.layer;
        billing.layer = if off {
            layer
                .without_logging()
                .without_deadline()
                .without_retry()
                .without_circuit_breaker()
                .without_bad_gateway()
                .timeouts(Timeouts::none())
        } else {
            layer
                .logging(LoggingLayer::client().success_level(Level::Off))
                .deadline(DeadlineLayer::new(secs(5)))
                .retry(RetryLayer::new().max_retries(1))
                .circuit_breaker(CircuitBreakerLayer::new().min_calls(5))
                .in_flight(InFlightLimitLayer::new(NonZeroU32::MIN))
                .deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
                .bad_gateway(
                    seawall::bad_gateway::BadGatewayClassifierLayer::new().max_peek_bytes(0),
                )
                .timeouts(Timeouts::default())
        };
        let (sent, client) = upstream(|_| Ok(status(200)));
        let response = billing.clone().layer.layer(client).oneshot(get(URL)).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "text");
        assert_eq!(sent.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn stack_without_layers_forwards_calls_unchanged() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let bare = StandardLayer::new("billing")
        .without_logging()
        .without_retry()
        .without_circuit_breaker()
        .without_bad_gateway()
        .timeouts(Timeouts::none());
    let (sent, failing) = upstream(|_| Ok(status(502)));
    let stack = bare.layer(failing);
    for _ in 0..100 {
        let response = stack.clone().oneshot(get(URL)).await.unwrap();
        assert_eq!(response.status(), 502);
        assert!(response.extensions().get::<Failure>().is_none());
        assert!(response.extensions().get::<Evidence>().is_none());
    }
    assert_eq!(sent.load(Ordering::Relaxed), 100);
    assert!(bare.circuits().all().is_empty());
    assert!(recorder.lines().is_empty());

    let mut hanging = tokio_test::task::spawn(bare.layer(silent()).oneshot(get(URL)));
    assert!(hanging.poll().is_pending());
    tokio::time::advance(secs(86_400)).await;
    assert!(hanging.poll().is_pending());
    assert!(!hanging.is_woken());
}

#[test]
fn timeouts_reject_attempt_above_total() {
    let error: InvalidTimeouts = Timeouts::new(secs(31), secs(30)).unwrap_err();
    assert_eq!(error.to_string(), "attempt timeout 31s exceeds total timeout 30s");
    assert!(Timeouts::new(secs(30), secs(30)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn default_total_timeout_ends_call_after_30_seconds() {
    let start = Instant::now();
    let stack = StandardLayer::new("billing").layer(silent());
    assert_eq!(cause(stack.oneshot(get(URL)).await), Cause::HttpResponseTimeout);
    let took = start.elapsed();
    assert!(took > secs(29) && took <= secs(30) + Duration::from_millis(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_stops_when_attempt_cannot_end_before_stack_deadline() {
    let (sent, failing) = upstream(|_| Ok(status(503)));
    // The deadline of the stack adds no extension, which would be allocated for each call.
    let extensions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&extensions);
    let client = ServiceBuilder::new()
        .map_request(move |request: Request<ReplayBody<Body>>| {
            counter.fetch_add(request.extensions().len(), Ordering::Relaxed);
            request
        })
        .service(failing);
    // The wait alone exceeds the deadline.
    let retry = RetryLayer::new().backoff(Backoff::constant(secs(2)));
    let layer = StandardLayer::new("billing")
        .timeouts(Timeouts::new(secs(1), secs(1)).unwrap())
        .retry(retry);
    let response = layer.layer(client).oneshot(get(URL)).await.unwrap();
    assert_eq!(response.status(), 503);
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.stop_reason(), Some(StopReason::DeadlineTooNear));
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    assert_eq!(extensions.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn next_hop_timeout_and_retry_exclude_margin() {
    let headers = Arc::new(std::sync::Mutex::new(Vec::new()));
    let recorded = Arc::clone(&headers);
    let client = service_fn(move |request: Request<ReplayBody<Body>>| {
        let header = request.headers()["grpc-timeout"].to_str().unwrap().to_owned();
        recorded.lock().unwrap().push(header);
        async {
            tokio::time::sleep(Duration::from_millis(970)).await;
            Ok::<_, seawall::BoxError>(status(503))
        }
    });
    let layer = StandardLayer::new("billing")
        .timeouts(Timeouts::new(secs(1), secs(1)).unwrap())
        .retry(RetryLayer::new().backoff(Backoff::none()))
        .deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc));
    let response = layer.layer(client).oneshot(get(URL)).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(*headers.lock().unwrap(), ["950000u"]);
}

#[tokio::test(start_paused = true)]
async fn body_fails_when_idle_for_one_minute() {
    let client = service_fn(async |_: Request<ReplayBody<Body>>| {
        Ok::<_, seawall::BoxError>(Response::new(ScriptedBody::new([Step::Stall])))
    });
    let layer = StandardLayer::new("billing");
    let body = layer.layer(client).oneshot(get(URL)).await.unwrap().into_body();
    let start = Instant::now();
    let error = body.collect().await.unwrap_err();
    assert!(start.elapsed() >= secs(60) && start.elapsed() < secs(61));
    assert!(error.to_string().contains("60s"), "{error}");

    let endless = layer.timeouts(Timeouts::default().without_body_idle());
    let body = endless.layer(client).oneshot(get(URL)).await.unwrap().into_body();
    let waited = tokio::time::timeout(secs(86_400), body.collect()).await;
    assert!(waited.is_err());
}

#[tokio::test(start_paused = true)]
async fn each_authority_has_own_circuit_and_others_share_named_one() {
    let client = service_fn(async |request: Request<ReplayBody<Body>>| {
        let is_healthy = request.uri().authority().is_some_and(|it| it == "healthy");
        Ok::<_, seawall::BoxError>(status(if is_healthy { 200 } else { 502 }))
    });
    let layer = StandardLayer::new("billing").without_retry();
    let stack = layer.layer(client);
    for url in ["http://healthy/", "http://failing/", "/relative"].repeat(20) {
        let _ = stack.clone().oneshot(get(url)).await;
    }
    let state = |key| layer.circuits().get(key).unwrap().state();
    assert_eq!(state("healthy"), State::Closed);
    assert_eq!(state("failing"), State::Open);
    assert_eq!(state("billing"), State::Open);

    let one = StandardLayer::new("all").per_key(|_| None).without_retry();
    let (_, failing) = upstream(|_| Ok(status(502)));
    let stack = one.layer(failing);
    for host in 0..20 {
        let _ = stack.clone().oneshot(get(&format!("http://host-{host}/"))).await;
    }
    assert_eq!(one.circuits().get("all").unwrap().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn each_authority_has_own_budget_unless_one_is_set() {
    // A default budget allows three retries. The requests have two authorities.
    for (chosen, retries) in [(None, 6), (Some(Budget::default()), 3)] {
        let (sent, failing) = upstream(|_| Ok(status(502)));
        let retry = RetryLayer::new().max_retries(10).backoff(Backoff::none());
        let retry = match chosen {
            Some(budget) => retry.budget(budget),
            None => retry,
        };
        let stack =
            StandardLayer::new("billing").without_circuit_breaker().retry(retry).layer(failing);
        for url in ["http://a/", "http://b/"] {
            let _ = stack.clone().oneshot(get(url)).await;
        }
        assert_eq!(sent.load(Ordering::Relaxed), 2 + retries);
    }
}

/// A classifier that reports 404 as a retryable failure.
#[derive(Clone, Copy, Debug)]
struct RetryNotFound;

impl<B> Classify<Response<B>> for RetryNotFound {
    fn classify(
        &self,
        outcome: Result<&Response<B>, &(dyn std::error::Error + 'static)>,
    ) -> Option<Failure> {
        match outcome {
            Ok(response) if response.status() == 404 => {
                Some(Failure::new(Cause::BadGateway).with_retry_hint(Some(true)))
            }
            outcome => HttpClassifier::new().classify(outcome),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_layer_uses_custom_classifier() {
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    let (sent, missing) = upstream(|_| Ok(status(404)));
    let layer = StandardLayer::new("billing").classifier(RetryNotFound);
    let stack = layer.layer(missing);
    for _ in 0..5 {
        let _ = stack.clone().oneshot(get(URL)).await;
    }
    // Five calls, and the three retries of the minimum budget.
    assert_eq!(sent.load(Ordering::Relaxed), 8);
    let snapshot = layer.circuits().get("billing").unwrap().snapshot();
    assert_eq!(snapshot.failures(), 8);
    assert!(recorder.lines().iter().all(|line| line.get("seawall.cause") == Some("bad_gateway")));
    assert_eq!(recorder.lines().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn stack_accepts_closure_as_classifier() {
    let (sent, missing) = upstream(|_| Ok(status(404)));
    let retry_not_found = classify_fn(|outcome: Result<&Response<_>, &(dyn Error + 'static)>| {
        let missing = outcome.is_ok_and(|response| response.status() == 404);
        missing.then(|| Failure::new(Cause::BadGateway).with_retry_hint(Some(true)))
    });
    let stack = StandardLayer::new("billing").classifier(retry_not_found).layer(missing);
    stack.oneshot(get(URL)).await.unwrap();
    assert_eq!(sent.load(Ordering::Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn client_with_other_body_gets_mapped_body() {
    let client = service_fn(async |request: Request<Full<bytes::Bytes>>| {
        Ok::<_, seawall::BoxError>(Response::new(request.into_body()))
    });
    let stack = StandardLayer::new("billing")
        .map_body(|_: ReplayBody<Body>| Full::from("mapped"))
        .retry(RetryLayer::new().max_retries(1))
        .layer(client);
    let body = stack.oneshot(get(URL)).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "mapped");
}
