//! Tests `FlakyService`, the scripted in-process upstream, on a paused clock.

use std::{io, time::Duration};

use http::{Method, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use seawall::{
    Cause, Processed,
    body_timeout::BodyTimeoutLayer,
    retry::{AttemptNumber, Backoff, Budget, RetryLayer, RetryReport},
};
use tokio::time::Instant;
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt};

use super::*;
use crate::support::{ScriptedBody, Step as Part};

const SECOND: Duration = Duration::from_secs(1);

async fn call(upstream: &FlakyService, request: Request<Body>) -> Response<FlakyBody> {
    upstream.clone().oneshot(request).await.unwrap()
}

async fn statuses(upstream: &FlakyService, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(call(upstream, get()).await.status().as_u16());
    }
    statuses
}

#[tokio::test(start_paused = true)]
async fn service_takes_one_step_per_request_then_repeats() {
    let script = Script::new()
        .then(Step::status(502))
        .times(2, Step::status(503))
        .times(0, Step::status(500))
        .then_repeat(Step::ok("hello"));
    let upstream = FlakyService::new(script).unwrap();
    // Clones share the script.
    assert_eq!(statuses(&upstream.clone(), 2).await, [502, 503]);
    assert_eq!(statuses(&upstream, 3).await, [503, 200, 200]);
    assert_eq!(upstream.requests(), 5);
    let body = call(&upstream, get()).await.into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test(start_paused = true)]
async fn service_returns_501_when_script_ends() {
    let upstream = FlakyService::new([Step::status(502)]).unwrap();
    let response = RetryLayer::new().layer(upstream.clone()).oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 501);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "the script has no step for this request");
    assert_eq!(upstream.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn service_follows_new_script_unless_invalid() {
    let upstream = FlakyService::new(Step::status(502)).unwrap();
    assert_eq!(statuses(&upstream, 1).await, [502]);
    upstream.clone().set_script([Step::status(503), Step::status(504)]).unwrap();
    assert_eq!(statuses(&upstream, 1).await, [503]);
    upstream.set_script(Step::status(0)).unwrap_err();
    assert_eq!(statuses(&upstream, 1).await, [504]);
    assert_eq!(upstream.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn random_script_follows_probability_and_seed() {
    let statuses_of_seed = async |seed| {
        let probabilities =
            [(Ratio::percent(20), Step::status(502)), (Ratio::percent(5), Step::status(503))];
        let script = Script::random(seed, probabilities, Step::ok("")).unwrap();
        statuses(&FlakyService::new(script.then(Step::status(418))).unwrap(), 10_001).await
    };
    let first = statuses_of_seed(1).await;
    assert_eq!(first[0], 418);
    let count = |status| first.iter().filter(|it| **it == status).count();
    // The seed is fixed, so the counts are reproducible. Each range extends six standard deviations
    // to both sides of the mean.
    assert!((1_760..2_240).contains(&count(502)), "{}", count(502));
    assert!((370..630).contains(&count(503)), "{}", count(503));
    assert_eq!(statuses_of_seed(1).await, first);
    assert_ne!(statuses_of_seed(2).await, first);
}

#[tokio::test(start_paused = true)]
async fn random_script_handles_probability_zero_and_one() {
    for (percent, status) in [(0, 200), (100, 502)] {
        let probabilities = [(Ratio::percent(percent), Step::status(502))];
        let script = Script::random(3, probabilities, Step::ok("")).unwrap();
        let upstream = FlakyService::new(script).unwrap();
        assert_eq!(statuses(&upstream, 1_000).await, [status; 1_000]);
    }
}

#[tokio::test(start_paused = true)]
async fn response_has_given_headers_and_length() {
    let step = Step::status(503)
        .body("busy")
        .header("x-a", "1")
        .header("X-A", b"caf\xe9")
        .retry_after(Duration::from_millis(1_001));
    let upstream = FlakyService::new(step).unwrap();
    for (method, body) in [("GET", "busy"), ("HEAD", "")] {
        let response = call(&upstream, request(method, "")).await;
        let headers = response.headers();
        assert_eq!(headers["content-length"], "4", "{method}");
        assert_eq!(headers["retry-after"], "2");
        let values: Vec<_> =
            headers.get_all("x-a").iter().map(http::HeaderValue::as_bytes).collect();
        assert_eq!(values, [&b"1"[..], b"caf\xe9"]);
        assert_eq!(response.body().size_hint().exact(), Some(body.len() as u64));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    }
    let upstream = FlakyService::new(Step::ok("").retry_after(Duration::MAX)).unwrap();
    assert_eq!(call(&upstream, get()).await.headers()["retry-after"], u64::MAX.to_string());
}

#[tokio::test(start_paused = true)]
async fn response_has_no_body_when_status_forbids_it() {
    for status in [204, 304] {
        let upstream = FlakyService::new(Step::status(status).body("no").truncated()).unwrap();
        let response = call(&upstream, get()).await;
        assert!(response.headers().is_empty() && response.body().is_end_stream());
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");
    }
}

#[tokio::test(start_paused = true)]
async fn service_delays_each_outcome_on_paused_clock() {
    for step in [Step::ok("late"), Step::reset(), Step::close(), Step::garbage(), Step::refuse()] {
        let upstream = FlakyService::new(step.delay(3_600 * SECOND)).unwrap();
        let started = Instant::now();
        let _ = upstream.oneshot(get()).await;
        assert_eq!(started.elapsed(), 3_600 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn body_delay_separates_halves_of_body() {
    let upstream = FlakyService::new(Step::ok("hello").body_delay(SECOND)).unwrap();
    let started = Instant::now();
    let mut body = call(&upstream, get()).await.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push((frame.unwrap().into_data().unwrap(), started.elapsed()));
    }
    assert_eq!(frames, [("he".into(), Duration::ZERO), ("llo".into(), SECOND)]);
    assert!(body.is_end_stream() && body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn body_stalls_when_delay_is_unlimited() {
    let upstream = FlakyService::new(Step::ok("hello").body_delay(Duration::MAX)).unwrap();
    let service = BodyTimeoutLayer::new().idle(SECOND).layer(upstream);
    let body = service.oneshot(get()).await.unwrap().into_body();
    let error = body.collect().await.unwrap_err();
    assert_eq!(classify_body_error(&*error).cause(), Cause::ConnectionReadTimeout);
}

#[tokio::test(start_paused = true)]
async fn truncated_body_fails_before_announced_length() {
    for (body, delay) in
        [("hello", Duration::ZERO), ("hello", SECOND), ("", Duration::ZERO), ("", SECOND)]
    {
        let step = Step::ok(body).truncated().body_delay(delay);
        let upstream = FlakyService::new(step).unwrap();
        let started = Instant::now();
        let response = call(&upstream, get()).await;
        let announced = body.len() as u64 + 1;
        assert_eq!(response.headers()["content-length"], announced.to_string());
        assert_eq!(response.body().size_hint().exact(), Some(announced));
        let (mut body_read, mut error) = (Vec::new(), None);
        let mut frames = response.into_body();
        while let Some(frame) = frames.frame().await {
            match frame {
                Ok(frame) => body_read.extend(frame.into_data().unwrap()),
                Err(truncated) => error = Some(truncated),
            }
        }
        assert_eq!(body_read, body.as_bytes());
        let failure = classify_body_error(&*error.unwrap());
        assert_eq!(failure.cause(), Cause::HttpResponseIncomplete);
        assert_eq!(started.elapsed(), delay);
    }
}

#[tokio::test(start_paused = true)]
async fn received_request_keeps_head_body_and_extensions() {
    let upstream = FlakyService::new([Step::status(502), Step::ok("")]).unwrap();
    let mut put = request("PUT", "pay");
    put.headers_mut().insert("x-a", "1".parse().unwrap());
    put.headers_mut().insert("x-bytes", http::HeaderValue::from_bytes(b"\xff").unwrap());
    RetryLayer::new().layer(upstream.clone()).oneshot(put).await.unwrap();
    let received = upstream.received();
    assert_eq!(received.len(), 2);
    for attempt in &received {
        assert_eq!((attempt.method(), attempt.path()), (&Method::PUT, "/a"));
        assert_eq!(attempt.uri(), "http://upstream/a?b");
        assert_eq!((attempt.header("x-a"), attempt.header("X-B")), (Some("1"), None));
        assert_eq!((attempt.header("x-bytes"), attempt.headers().len()), (None, 2));
        assert_eq!(
            (attempt.body(), attempt.body_len(), attempt.is_body_complete()),
            (&b"pay"[..], 3, true)
        );
    }
    let attempt_number =
        |it: &ReceivedRequest| it.extensions().get::<AttemptNumber>().map(|it| it.0.get());
    assert_eq!(received.iter().map(attempt_number).collect::<Vec<_>>(), [None, Some(2)]);
}

#[tokio::test(start_paused = true)]
async fn received_request_has_time_of_paused_clock() {
    let upstream = FlakyService::new([Step::status(502), Step::ok("").delay(SECOND)]).unwrap();
    tokio::time::advance(3 * SECOND).await;
    let retry = RetryLayer::new().backoff(Backoff::constant(2 * SECOND));
    retry.layer(upstream.clone()).oneshot(get()).await.unwrap();
    let seconds: Vec<_> =
        upstream.received().iter().map(|it| it.time_since_start().as_secs()).collect();
    assert_eq!(seconds, [3, 5]);
}

#[tokio::test(start_paused = true)]
async fn service_omits_refused_request_from_received() {
    let upstream = FlakyService::new([Step::refuse(), Step::ok("")]).unwrap();
    let response = RetryLayer::new().layer(upstream.clone()).oneshot(request("POST", "pay")).await;
    let response = response.unwrap();
    assert_eq!(response.extensions().get::<RetryReport>().unwrap().attempts().get(), 2);
    assert_eq!((upstream.requests(), upstream.received().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn service_counts_large_body_and_keeps_64_kib() {
    let upstream = FlakyService::new(Step::ok("")).unwrap();
    let parts = [(); 100].map(|()| Part::Data(Bytes::from_static(&[7; 1_000])));
    let body = ScriptedBody::new(parts);
    upstream.clone().oneshot(Request::put("/").body(body).unwrap()).await.unwrap();
    let received = &upstream.received()[0];
    assert_eq!((received.body_len(), received.is_body_complete()), (100_000, true));
    assert_eq!(received.body(), vec![7; 64 << 10]);
}

#[tokio::test(start_paused = true)]
async fn service_counts_all_requests_and_keeps_first_thousand() {
    let upstream = FlakyService::new(Step::ok("")).unwrap();
    for number in 0..1_100 {
        let body = Body::from(format!("{number}"));
        upstream.clone().oneshot(Request::put("/").body(body).unwrap()).await.unwrap();
    }
    assert_eq!((upstream.requests(), upstream.received().len()), (1_100, 1_000));
    assert_eq!(upstream.received()[999].body(), b"999");
}

#[tokio::test(start_paused = true)]
async fn dropped_call_takes_step_and_keeps_partial_body() {
    let upstream = FlakyService::new([Step::status(502), Step::ok("")]).unwrap();
    let body = ScriptedBody::new([Part::Data("start".into()), Part::Stall]);
    let mut call =
        task::spawn(upstream.clone().oneshot(Request::put("/").body(Box::pin(body)).unwrap()));
    assert_pending!(call.poll());
    drop(call);
    let received = upstream.received();
    assert_eq!((received[0].body(), received[0].is_body_complete()), (&b"start"[..], false));
    assert_eq!(statuses(&upstream, 1).await, [200]);
}

#[tokio::test(start_paused = true)]
async fn service_returns_error_of_request_body() {
    let upstream = FlakyService::new(Step::ok("")).unwrap();
    let body = ScriptedBody::new([Part::Data("start".into()), Part::Error]);
    let call = upstream.clone().oneshot(Request::put("/").body(Box::pin(body)).unwrap());
    assert_eq!(call.await.unwrap_err().to_string(), "the body failed");
    assert!(!upstream.received()[0].is_body_complete());
}

#[test]
fn service_needs_no_runtime_without_delay() {
    use futures_util::FutureExt;

    let upstream = FlakyService::new([Step::ok("hello"), Step::silent()]).unwrap();
    let response = upstream.clone().oneshot(get()).now_or_never().unwrap().unwrap();
    let body = response.into_body().collect().now_or_never().unwrap().unwrap();
    assert_eq!(body.to_bytes(), "hello");
    assert!(upstream.oneshot(get()).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn service_returns_same_errors_as_real_client() {
    for (step, kind) in [
        (Step::close(), io::ErrorKind::ConnectionAborted),
        (Step::reset(), io::ErrorKind::ConnectionReset),
        (Step::refuse(), io::ErrorKind::ConnectionRefused),
    ] {
        let error: BoxError = FlakyService::new(step).unwrap().oneshot(get()).await.unwrap_err();
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), kind);
    }
    let custom_error = Step::error(|| seawall::Failure::new(Cause::DnsError));
    assert_eq!(format!("{:?}", custom_error.clone()).matches("Error(..)").count(), 1);
    for _ in 0..2 {
        let upstream = FlakyService::new(custom_error.clone()).unwrap();
        let error = upstream.clone().oneshot(get()).await.unwrap_err();
        assert_eq!(classify_error(&*error).cause(), Cause::DnsError);
        assert_eq!(upstream.requests(), 1);
    }
    let error = FlakyService::new(Step::garbage()).unwrap().oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "the response is not HTTP");
    assert_eq!(classify_error(&*error).processed(), Processed::Maybe);
}

/// The main use case of `test_util`: an end-to-end test with reproducible numbers.
#[tokio::test(start_paused = true)]
async fn retry_succeeds_when_upstream_fails_one_in_five() {
    let script = Script::random(
        7,
        [(Ratio::percent(15), Step::status(502)), (Ratio::percent(5), Step::reset())],
        Step::ok("hello"),
    );
    let upstream = FlakyService::new(script.unwrap()).unwrap();
    let retry = RetryLayer::new().backoff(Backoff::none()).budget(Budget::none()).max_retries(9);
    let service = retry.layer(upstream.clone());
    for _ in 0..1_000 {
        assert_eq!(service.clone().oneshot(get()).await.unwrap().status(), 200);
    }
    assert!((1_200..1_300).contains(&upstream.requests()), "{}", upstream.requests());
}
