//! Retryable requests and outcomes: methods, statuses, errors, and hints of the server.

use std::{error::Error, io};

use http::{Method, Response};
use proptest::prelude::*;
use seawall::{
    Cause, Failure, Processed,
    classify::{GrpcClassifier, classify_fn},
    retry::{RetryLayer, RetryReport, StopReason},
    test_util::{FlakyBody, Step},
};
use tower::{Layer, ServiceExt};

use super::{Body, call, get_with_body, immediate, post, report, request, unbudgeted};
use crate::support::{Action, Script, get, respond_with, response, upstream};

#[tokio::test(start_paused = true)]
async fn retry_repeats_get_on_default_statuses() {
    for status in [429, 500, 502, 503, 504] {
        let script = respond_with(&[status, status, status, status, 200]);
        let response = call(&unbudgeted(), &script, get_with_body()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(report(&response), (5, None));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_returns_other_statuses_unchanged() {
    for status in [200, 204, 301, 400, 404, 408, 409, 501, 505, 520] {
        let script = respond_with(&[status]);
        let response = call(&RetryLayer::new(), &script, get_with_body()).await.unwrap();
        assert_eq!((response.status().as_u16(), script.requests()), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_statuses_ignores_invalid_numbers() {
    let layer = immediate().retry_statuses([0, 418, 1_000, u16::MAX]);
    let script = respond_with(&[418, 502]);
    assert_eq!(call(&layer, &script, get_with_body()).await.unwrap().status(), 502);
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_only_idempotent_methods() {
    for (method, sent) in [
        (Method::GET, 2),
        (Method::HEAD, 2),
        (Method::PUT, 2),
        (Method::DELETE, 2),
        (Method::OPTIONS, 2),
        (Method::TRACE, 2),
        (Method::POST, 1),
        (Method::PATCH, 1),
        (Method::CONNECT, 1),
        (Method::from_bytes(b"GETS").unwrap(), 1),
    ] {
        let script = respond_with(&[502, 200]);
        let response = call(&RetryLayer::new(), &script, request(&method)).await.unwrap();
        assert_eq!(script.requests(), sent, "{method}");
        if sent == 1 {
            assert_eq!(report(&response), (1, Some(StopReason::MethodNotAllowed)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_methods_replaces_retried_methods() {
    let script = respond_with(&[502, 200]);
    call(&immediate().retry_methods([Method::POST]), &script, request(&Method::POST))
        .await
        .unwrap();
    assert_eq!(script.requests(), 2);
    let script = respond_with(&[502, 200]);
    call(&immediate().retry_methods([Method::POST]), &script, get_with_body()).await.unwrap();
    assert_eq!(script.requests(), 1);
    let script = respond_with(&[502, 200]);
    call(&immediate().retry_all_methods(), &script, request(&Method::PATCH)).await.unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_post_with_idempotency_key() {
    let script = respond_with(&[502, 200]);
    let mut post = request(&Method::POST);
    post.headers_mut().insert("Idempotency-Key", "\"8e03978e\"".parse().unwrap());
    assert_eq!(call(&RetryLayer::new(), &script, post).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn retry_ignores_empty_idempotency_key() {
    for (key, sent) in [("", 1), (" ", 1), ("\"\"", 1), ("\"k\"", 2), ("k", 2)] {
        let script =
            Script::new([Action::Respond(response::<Body>(502)), Action::Respond(response(200))]);
        let mut request = post();
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        immediate().layer(script.clone()).oneshot(request).await.unwrap();
        assert_eq!(script.count(), sent, "{key:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_unprocessed_post() {
    let script = upstream([Step::refuse(), Step::status(200)]);
    let response = call(&RetryLayer::new(), &script, request(&Method::POST)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_probably_unprocessed_post_when_allowed() {
    let unlikely =
        classify_fn(
            |outcome: Result<&Response<FlakyBody>, &(dyn Error + 'static)>| match outcome {
                Ok(response) if response.status() == 200 => None,
                _ => Some(Failure::new(Cause::RateLimited).with_processed(Processed::Unlikely)),
            },
        );
    for (allowed, sent) in [(false, 1), (true, 2)] {
        let script = respond_with(&[429, 200]);
        let layer = immediate().retry_if_probably_unprocessed(allowed).classifier(unlikely);
        layer.layer(script.clone()).oneshot(request(&Method::POST)).await.unwrap();
        assert_eq!(script.requests(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn x_should_retry_false_stops_retrying() {
    let script = upstream([Step::status(503).header("x-should-retry", "false")]);
    let response = call(&immediate(), &script, get_with_body()).await.unwrap();
    assert_eq!(report(&response), (1, Some(StopReason::ServerForbids)));
}

#[tokio::test(start_paused = true)]
async fn x_should_retry_true_overrides_status_but_not_method() {
    let script = upstream([Step::status(409).header("x-should-retry", "true"), Step::status(200)]);
    assert_eq!(call(&immediate(), &script, get_with_body()).await.unwrap().status(), 200);
    let script = upstream([Step::status(409).header("x-should-retry", "true")]);
    let response = call(&immediate(), &script, request(&Method::POST)).await.unwrap();
    assert_eq!(report(&response), (1, Some(StopReason::MethodNotAllowed)));
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_grpc_unavailable_when_http_status_is_200() {
    let script = upstream([Step::status(200).header("grpc-status", "14"), Step::status(200)]);
    let layer = immediate().retry_all_methods().classifier(GrpcClassifier::new());
    let response = layer.layer(script.clone()).oneshot(request(&Method::POST)).await.unwrap();
    assert!(!response.headers().contains_key("grpc-status"));
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_returns_permanent_errors() {
    for cause in [Cause::TlsCertificateError, Cause::HttpRequestError, Cause::CircuitOpen] {
        let script = upstream(Step::error(move || Failure::new(cause)));
        let error = call(&immediate(), &script, get_with_body()).await.unwrap_err();
        assert!(error.is::<Failure>(), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_returns_response_of_open_circuit() {
    let mut rejected = response::<Body>(503);
    let open = Failure::new(Cause::CircuitOpen).with_status(rejected.status());
    rejected.extensions_mut().insert(open);
    let script = Script::new([Action::Respond(rejected)]);
    let response = immediate().layer(script).oneshot(get()).await.unwrap();
    assert_eq!(
        response.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::CircuitOpen)
    );
}

fn outcome() -> impl Strategy<Value = (u16, Option<io::ErrorKind>)> {
    let kinds = prop::sample::select(vec![
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::TimedOut,
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::BrokenPipe,
    ]);
    (100_u16..1_000, prop::option::of(kinds))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn retry_sends_possibly_processed_post_once(
        outcomes in prop::collection::vec(outcome(), 1..4),
        method in prop::sample::select(vec![Method::POST, Method::PATCH]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let script = Script::new(outcomes.into_iter().map(|(status, error)| match error {
            Some(kind) => Action::Fail(io::Error::from(kind).into()),
            None => Action::Respond(response::<Body>(status)),
        }));
        let _ = runtime.block_on(call(&RetryLayer::new(), &script, request(&method)));
        prop_assert_eq!(script.count(), 1);
    }
}
