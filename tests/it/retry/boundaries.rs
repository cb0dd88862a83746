//! Boundary cases: proof from several attempts, outer layers, and debug output.

use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use proptest::prelude::*;
use seawall::{
    BoxError, Cause, Failure, Processed,
    classify::classify_error,
    retry::{Backoff, Budget, ReplayBody, RetryLayer},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;

use super::{Body, immediate, ms, post, put, within};
use crate::{
    log_capture::Recorder,
    support::{Action, Script, get, response},
};

fn fail(kind: io::ErrorKind) -> Action<Body> {
    Action::Fail(io::Error::from(kind).into())
}

#[tokio::test(start_paused = true)]
async fn last_attempt_does_not_prove_earlier_ones_unprocessed() {
    let reset_then_refused =
        [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused].map(fail);
    let layer = immediate().max_retries(1);
    let error = layer.layer(Script::new(reset_then_refused)).oneshot(put(Body::from("pay")));
    let failure = classify_error(&*error.await.unwrap_err());
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::ConnectionRefused, Processed::Maybe)
    );

    let refused_twice = [(), ()].map(|()| fail(io::ErrorKind::ConnectionRefused));
    let error = layer.layer(Script::new(refused_twice)).oneshot(put(Body::from("pay")));
    assert_eq!(classify_error(&*error.await.unwrap_err()).processed(), Processed::No);
}

#[tokio::test(start_paused = true)]
async fn outer_retry_does_not_trust_last_inner_attempt() {
    let script =
        Script::new([fail(io::ErrorKind::ConnectionReset), fail(io::ErrorKind::ConnectionRefused)]);
    let service = ServiceBuilder::new()
        .layer(immediate())
        .layer(immediate().retry_all_methods().max_retries(1))
        .service(script.clone());
    service.oneshot(post()).await.unwrap_err();
    assert_eq!(script.count(), 2);
}

/// A service that is ready once and then returns a readiness error.
#[derive(Clone)]
struct ReadyOnce(bool);

impl Service<Request<ReplayBody<Body>>> for ReadyOnce {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let ready = std::mem::replace(&mut self.0, false);
        Poll::Ready(if ready { Ok(()) } else { Err("closed".into()) })
    }

    fn call(&mut self, _: Request<ReplayBody<Body>>) -> Self::Future {
        std::future::ready(Ok(response(502)))
    }
}

#[tokio::test(start_paused = true)]
async fn retry_reports_not_ready_as_stop_reason() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    immediate().layer(ReadyOnce(true)).oneshot(get()).await.unwrap_err();
    let events = recorder.events();
    let stops: Vec<_> = events.iter().filter_map(|event| event.get("stop_reason")).collect();
    assert_eq!(stops, ["not_ready"]);
}

#[tokio::test(start_paused = true)]
async fn timeout_without_time_for_retry_gets_504() {
    let script = Script::new([Action::Respond(response(503)), fail(io::ErrorKind::TimedOut)]);
    let service = ServiceBuilder::new()
        .layer(seawall::error_response::ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new().backoff(Backoff::constant(ms(1_000))))
        .service(script);
    assert_eq!(service.oneshot(within(ms(1_200))).await.unwrap().status(), 504);
}

#[tokio::test(start_paused = true)]
async fn rejected_retry_gets_retry_after_of_upstream() {
    let mut busy = response::<Body>(503);
    busy.headers_mut().insert("retry-after", "7".parse().unwrap());
    let rejection = Failure::new(Cause::ConnectionLimitReached);
    let script = Script::new([Action::Respond(busy), Action::Fail(rejection.into())]);
    let service = ServiceBuilder::new()
        .layer(seawall::error_response::ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new())
        .service(script);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "7");
}

#[test]
fn debug_output_shows_settings() {
    let layer = RetryLayer::new()
        .on_retry(|_| {})
        .budget_per_key(Budget::new(seawall::Ratio::percent(7), 5), seawall::keys::by_authority);
    let text = format!("{layer:?}");
    for part in ["RetryLayer", "Doubling(100ms)", "Hook", "70000", "min: 5"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(format!("{:?}", Budget::default()).contains("200000"));
    assert_eq!(format!("{:?}", Budget::none()), "Budget::none");
    let backoffs = [
        Backoff::constant(ms(3)),
        Backoff::urllib3(0.5).unwrap(),
        Backoff::custom(|_| Duration::ZERO),
    ];
    let text = format!("{backoffs:?}");
    assert!(
        text.contains("Constant(3ms)") && text.contains("Urllib3(0.5)") && text.contains("Custom")
    );
    assert!(
        format!("{:?}", RetryLayer::new().map_body(|_: ReplayBody<Body>| ()))
            .contains("MappedBody")
    );
    let error = Backoff::urllib3(-1.0).unwrap_err().to_string();
    assert_eq!(error, "backoff factor must be a finite number of seconds, 0 or more");
}

#[tokio::test(start_paused = true)]
async fn debug_output_shows_body_state_and_attempts() {
    let texts = Arc::new(Mutex::new(Vec::new()));
    let inner = {
        let texts = Arc::clone(&texts);
        service_fn(move |request: Request<ReplayBody<Body>>| {
            texts.lock().unwrap().push(format!("{:?}", request.body()));
            std::future::ready(Ok::<_, BoxError>(response::<Body>(200)))
        })
    };
    let service = immediate().max_replay_bytes(3).layer(inner);
    for body in ["", "pay"] {
        service.clone().oneshot(put(Body::from(body))).await.unwrap();
    }
    let kinds = ["ReplayBody(Empty)", "ReplayBody(Buffered)"];
    assert_eq!(*texts.lock().unwrap(), kinds);
    let mut service = immediate().layer(Script::new([Action::<Body>::Stall]));
    let call = service.call(get());
    assert!(format!("{call:?}").contains("attempts: 1"));
}

/// Returns an outcome, with true if it proves that the request was not processed.
fn outcome() -> impl Strategy<Value = (u16, &'static str, bool)> {
    prop::sample::select(vec![
        (0, "refused", true),
        (0, "reset", false),
        (0, "timeout", false),
        (429, "", false),
        (500, "", false),
        (502, "", false),
        (503, "retry-after: 0", false),
        (503, "x-should-retry: true", false),
        (504, "x-should-retry: false", false),
        (404, "x-should-retry: true", false),
        (200, "", false),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn retry_repeats_non_idempotent_request_only_with_proof(
        script in prop::collection::vec(outcome(), 1..6),
        method in prop::sample::select(vec!["POST", "PATCH", "LOCK", "PURGE"]),
    ) {
        let acts = script.iter().map(|&(status, error_or_header, _)| match error_or_header {
            "refused" => fail(io::ErrorKind::ConnectionRefused),
            "reset" => fail(io::ErrorKind::ConnectionReset),
            "timeout" => fail(io::ErrorKind::TimedOut),
            header => {
                let mut failed = response::<Body>(status);
                if let Some((name, value)) = header.split_once(": ") {
                    let name = http::HeaderName::from_static(name);
                    failed.headers_mut().insert(name, value.parse().unwrap());
                }
                Action::Respond(failed)
            }
        });
        let upstream = Script::new(acts.chain([Action::Respond(response(200))]));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let request = Request::builder().method(method).uri("http://upstream/");
        let request = request.body(Body::from("pay")).unwrap();
        let _ = runtime.block_on(immediate().max_retries(10).layer(upstream.clone()).oneshot(request));
        // The attempts stop after the first outcome without proof.
        let proven = script.iter().take_while(|(_, _, proof)| *proof).count();
        prop_assert_eq!(upstream.count(), proven + 1);
    }
}
