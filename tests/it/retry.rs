//! `RetryLayer`: when a request is sent again, and what comes out.

use std::{
    error::Error,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use seawall::{
    BoxError, Cause, Failure, GrpcClassifier, Processed, RetryLayer,
    classify::classify_error,
    classify_fn, find_source,
    retry::{
        AttemptNumber, Backoff, Budget, ReplayBody, RetriesExhausted, RetryReport, StopReason,
    },
    test_util::{FlakyBody, Step},
};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock;

use crate::support::{Act, Script, Step as Part, Steps, answers, response, upstream};

type Body = Full<Bytes>;

fn request(method: &Method) -> Request<Body> {
    Request::builder().method(method).uri("http://upstream/").body(Body::from("hi")).unwrap()
}

fn get() -> Request<Body> {
    request(&Method::GET)
}

/// Retries as it comes, but without a budget.
fn patient() -> RetryLayer {
    RetryLayer::new().budget(Budget::none())
}

/// Retries without waiting, and without a budget.
fn eager() -> RetryLayer {
    patient().backoff(Backoff::none())
}

async fn call<S, B>(
    layer: &RetryLayer,
    upstream: &S,
    request: Request<Body>,
) -> Result<Response<B>, BoxError>
where
    S: Service<Request<ReplayBody<Body>>, Response = Response<B>, Error = BoxError> + Clone,
    B: http_body::Body,
{
    layer.layer(upstream.clone()).oneshot(request).await
}

fn attempts<B>(response: &Response<B>) -> (u32, Option<StopReason>) {
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    (attempts.count().get(), attempts.stop_reason())
}

#[tokio::test(start_paused = true)]
async fn a_get_is_retried_on_the_statuses_of_the_forcelist() {
    for status in [429, 500, 502, 503, 504] {
        let script = answers(&[status, status, status, status, 200]);
        let response = call(&patient(), &script, get()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(attempts(&response), (5, None));
    }
}

/// The budget of all calls has a fifth of their number, and three where that is less.
#[tokio::test(start_paused = true)]
async fn a_call_is_sent_five_times_at_most_and_four_times_where_there_are_no_others() {
    let statuses: Vec<u16> = [200; 20].into_iter().chain([502; 5]).collect();
    let script = answers(&statuses);
    let layer = RetryLayer::new();
    for _ in 0..20 {
        call(&layer, &script, get()).await.unwrap();
    }
    let response = call(&layer, &script, get()).await.unwrap();
    assert_eq!(attempts(&response), (5, Some(StopReason::MaxRetries)));

    let response = call(&RetryLayer::new(), &answers(&[502; 4]), get()).await.unwrap();
    assert_eq!(attempts(&response), (4, Some(StopReason::BudgetExhausted)));
}

#[tokio::test(start_paused = true)]
async fn other_statuses_are_returned_at_once() {
    for status in [200, 204, 301, 400, 404, 408, 409, 501, 505, 520] {
        let script = answers(&[status]);
        let response = call(&RetryLayer::new(), &script, get()).await.unwrap();
        assert_eq!((response.status().as_u16(), script.requests()), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_at_the_first_attempt_is_not_marked() {
    let response = call(&RetryLayer::new(), &answers(&[200]), get()).await.unwrap();
    assert!(response.extensions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_response_is_returned_when_retries_are_spent() {
    let script = answers(&[500, 502, 503, 502, 504]);
    let response = call(&patient(), &script, get()).await.unwrap();
    assert_eq!(response.status(), 504);
    assert_eq!(attempts(&response), (5, Some(StopReason::MaxRetries)));
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    let causes: Vec<_> =
        attempts.failed_attempts().iter().map(|past| past.failure().cause()).collect();
    let expected = [Cause::OriginError, Cause::BadGateway, Cause::Overloaded, Cause::BadGateway];
    assert_eq!(causes, expected);
    let waits: Duration =
        attempts.failed_attempts().iter().map(seawall::retry::FailedAttempt::delay).sum();
    assert!(attempts.elapsed() >= waits);
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_inside_gave_up() {
    let script = upstream(Step::reset());
    let error = call(&patient(), &script, get()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.attempts().get(), gave_up.reason()), (5, StopReason::MaxRetries));
    assert!(find_source::<io::Error>(&*error).is_some());
    // What it was, and no more of the time than one wants to read: `1.0s`, `812.3ms`.
    let said = error.to_string();
    assert!(said.starts_with("gave up after 5 attempts in "), "{said}");
    assert!(said.ends_with("s (max retries): connection terminated") && said.len() < 76, "{said}");
    assert_eq!(classify_error(&*error).cause(), Cause::ConnectionTerminated);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_only_attempt_comes_out_as_it_is() {
    let script = upstream([Step::reset()]);
    let error = call(&RetryLayer::new(), &script, request(&Method::POST)).await.unwrap_err();
    assert!(error.is::<io::Error>());
}

#[tokio::test(start_paused = true)]
async fn idempotent_methods_are_retried_and_others_are_not() {
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
        let script = answers(&[502, 200]);
        let response = call(&RetryLayer::new(), &script, request(&method)).await.unwrap();
        assert_eq!(script.requests(), sent, "{method}");
        if sent == 1 {
            assert_eq!(attempts(&response), (1, Some(StopReason::MethodNotAllowed)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_with_an_idempotency_key_is_retried() {
    let script = answers(&[502, 200]);
    let mut post = request(&Method::POST);
    post.headers_mut().insert("Idempotency-Key", "\"8e03978e\"".parse().unwrap());
    assert_eq!(call(&RetryLayer::new(), &script, post).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_provably_not_processed_is_retried() {
    let script = upstream([Step::refuse(), Step::status(200)]);
    let response = call(&RetryLayer::new(), &script, request(&Method::POST)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn methods_can_be_chosen() {
    let script = answers(&[502, 200]);
    call(&eager().retry_methods([Method::POST]), &script, request(&Method::POST)).await.unwrap();
    assert_eq!(script.requests(), 2);
    let script = answers(&[502, 200]);
    call(&eager().retry_methods([Method::POST]), &script, get()).await.unwrap();
    assert_eq!(script.requests(), 1);
    let script = answers(&[502, 200]);
    call(&eager().retry_all_methods(), &script, request(&Method::PATCH)).await.unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn statuses_can_be_chosen_and_numbers_that_are_none_never_match() {
    let layer = eager().retry_statuses([0, 418, 1_000, u16::MAX]);
    let script = answers(&[418, 502]);
    assert_eq!(call(&layer, &script, get()).await.unwrap().status(), 502);
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_total_of_zero_sends_once_and_none_sends_on() {
    let script = answers(&[502]);
    let response = call(&eager().max_retries(0), &script, get()).await.unwrap();
    assert_eq!(attempts(&response), (1, Some(StopReason::MaxRetries)));
    let script = answers(&[[502; 50].as_slice(), &[200]].concat());
    let response = call(&eager().max_retries(None), &script, get()).await.unwrap();
    assert_eq!(attempts(&response), (51, None));
}

#[tokio::test(start_paused = true)]
async fn only_unlikely_with_permission_is_enough_for_a_post() {
    let unlikely =
        classify_fn(
            |outcome: Result<&Response<FlakyBody>, &(dyn Error + 'static)>| match outcome {
                Ok(response) if response.status() == 200 => None,
                _ => Some(Failure::new(Cause::RateLimited).with_processed(Processed::Unlikely)),
            },
        );
    for (allowed, sent) in [(false, 1), (true, 2)] {
        let script = answers(&[429, 200]);
        let layer = eager().retry_if_probably_unprocessed(allowed).classifier(unlikely);
        layer.layer(script.clone()).oneshot(request(&Method::POST)).await.unwrap();
        assert_eq!(script.requests(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn all_waits_together_are_a_random_part_of_what_doubling_gives() {
    let mut longest = Duration::ZERO;
    for _ in 0..200 {
        let started = Instant::now();
        call(&RetryLayer::new(), &answers(&[502, 502, 502, 200]), get()).await.unwrap();
        longest = longest.max(started.elapsed());
    }
    // 100 + 200 + 400 ms at most, each rounded up to the timer's millisecond; 200 calls that all stay below 400 ms
    // are less likely than one in 10^20.
    assert!(longest <= Duration::from_millis(703), "{longest:?}");
    assert!(longest > Duration::from_millis(400), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn every_call_has_jitter_of_its_own() {
    let mut waits = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        let backoff = Backoff::exponential(Duration::from_secs(5));
        call(&RetryLayer::new().backoff(backoff), &answers(&[502, 200]), get()).await.unwrap();
        waits.push(started.elapsed());
    }
    waits.dedup();
    assert!(waits.len() > 10, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_replaces_the_backoff_with_jitter_upward_only() {
    for _ in 0..50 {
        let script = upstream([Step::status(503).header("retry-after", "10"), Step::status(200)]);
        let started = Instant::now();
        call(&RetryLayer::new(), &script, get()).await.unwrap();
        let waited = started.elapsed();
        assert!(waited >= Duration::from_secs(10), "{waited:?}");
        assert!(waited <= Duration::from_millis(11_002), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_that_asks_too_much_returns_the_response_at_once() {
    for value in ["21", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let script = upstream([Step::status(503).header("retry-after", value)]);
        let started = Instant::now();
        let response = call(&RetryLayer::new(), &script, get()).await.unwrap();
        assert_eq!(attempts(&response), (1, Some(StopReason::WaitTooLong)), "{value}");
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn all_waits_of_a_call_together_are_limited() {
    // With up to a tenth more for each, two fit into 30 s and three do not.
    let script = upstream(Step::status(503).header("retry-after", "13"));
    let response = call(&RetryLayer::new(), &script, get()).await.unwrap();
    assert_eq!(attempts(&response), (3, Some(StopReason::WaitTooLong)));
}

#[tokio::test(start_paused = true)]
async fn a_bad_retry_after_leaves_the_wait_to_the_backoff() {
    for value in ["-1", "", "Wed, 99 Foo", "0"] {
        let script = upstream([Step::status(503).header("retry-after", value), Step::status(200)]);
        let started = Instant::now();
        call(&RetryLayer::new(), &script, get()).await.unwrap();
        assert!(started.elapsed() <= Duration::from_millis(102), "{value:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_can_be_disregarded() {
    let script = upstream([Step::status(503).header("retry-after", "9"), Step::status(200)]);
    let started = Instant::now();
    call(&eager().respect_retry_after(false), &script, get()).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn x_should_retry_false_ends_the_retrying() {
    let script = upstream([Step::status(503).header("x-should-retry", "false")]);
    let response = call(&eager(), &script, get()).await.unwrap();
    assert_eq!(attempts(&response), (1, Some(StopReason::ServerForbids)));
}

#[tokio::test(start_paused = true)]
async fn x_should_retry_true_overrides_the_forcelist_but_not_the_method() {
    let script = upstream([Step::status(409).header("x-should-retry", "true"), Step::status(200)]);
    assert_eq!(call(&eager(), &script, get()).await.unwrap().status(), 200);
    let script = upstream([Step::status(409).header("x-should-retry", "true")]);
    let response = call(&eager(), &script, request(&Method::POST)).await.unwrap();
    assert_eq!(attempts(&response), (1, Some(StopReason::MethodNotAllowed)));
}

#[tokio::test(start_paused = true)]
async fn grpc_unavailable_is_retried_by_its_cause_though_its_status_is_200() {
    let script = upstream([Step::status(200).header("grpc-status", "14"), Step::status(200)]);
    let layer = eager().retry_all_methods().classifier(GrpcClassifier::new());
    let response = layer.layer(script.clone()).oneshot(request(&Method::POST)).await.unwrap();
    assert!(!response.headers().contains_key("grpc-status"));
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn errors_that_would_come_again_are_not_retried() {
    for cause in [Cause::TlsCertificateError, Cause::HttpRequestError, Cause::CircuitOpen] {
        let script = upstream(Step::error(move || Failure::new(cause)));
        let error = call(&eager(), &script, get()).await.unwrap_err();
        assert!(error.is::<Failure>(), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_numbered_from_the_second_on() {
    let script = answers(&[502, 502, 200]);
    call(&eager(), &script, get()).await.unwrap();
    let received = script.received();
    let numbers =
        received.iter().map(|it| it.extensions().get::<AttemptNumber>().map(|it| it.0.get()));
    assert_eq!(numbers.collect::<Vec<_>>(), [None, Some(2), Some(3)]);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_the_caller_s_head() {
    let script = answers(&[502, 200]);
    let mut get = get();
    get.headers_mut().append("x-a", "1".parse().unwrap());
    get.headers_mut().append("x-a", "2".parse().unwrap());
    call(&eager(), &script, get).await.unwrap();
    for again in script.received() {
        assert_eq!(
            (again.method(), again.uri()),
            (&Method::GET, &"http://upstream/".parse().unwrap())
        );
        assert!(again.headers().get_all("x-a").iter().eq(["1", "2"]));
        assert_eq!(again.headers().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_response_is_let_go_before_the_wait_for_the_retry() {
    for (layer, drain_wait) in [
        (RetryLayer::new(), 50),
        (RetryLayer::new().drain_timeout(Duration::from_secs(2)), 2_000),
        // Never longer than the wait itself, which is not made longer by it.
        (RetryLayer::new().drain_timeout(Duration::MAX), 5_000),
    ] {
        let held = Arc::new([0; 4]);
        let weak = Arc::downgrade(&held);
        let body =
            Steps::new([Part::Pause, Part::Stall, Part::Data(Bytes::from_owner(Held(held)))]);
        let script = Script::new([
            Act::Answer(response::<Steps>(502).map(|_| body)),
            Act::Answer(response(200)),
        ]);
        let layer = layer.backoff(Backoff::constant(Duration::from_secs(5)));
        let mut call = task::spawn(layer.layer(script.clone()).oneshot(get()));
        assert_pending!(call.poll());
        tokio::time::advance(Duration::from_millis(drain_wait - 10)).await;
        assert_pending!(call.poll());
        assert_eq!(weak.strong_count(), 1, "{drain_wait}");
        tokio::time::advance(Duration::from_millis(20)).await;
        let polled = call.poll();
        assert_eq!(weak.strong_count(), 0, "{drain_wait}: held through the wait");
        assert_eq!(polled.is_ready(), drain_wait == 5_000);
        assert_eq!(script.count(), if drain_wait == 5_000 { 2 } else { 1 });
    }
}

/// Bytes that are dropped with their last copy.
struct Held(Arc<[u8; 4]>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &*self.0
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_the_attempt_and_the_wait() {
    let script = upstream(Step::silent());
    let mut hanging = task::spawn(RetryLayer::new().layer(script.clone()).oneshot(get()));
    assert_pending!(hanging.poll());
    drop(hanging);
    let script = answers(&[502]);
    let mut waiting = task::spawn(RetryLayer::new().layer(script.clone()).oneshot(get()));
    assert_pending!(waiting.poll());
    drop(waiting);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(script.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_readied_instance_makes_the_first_attempt_and_a_clone_polled_ready_the_next() {
    let layer = eager().clone_requests().classifier(classify_fn(
        |outcome: Result<&&str, &(dyn Error + 'static)>| outcome.err().map(classify_error),
    ));
    let (mut service, mut handle) = mock::spawn_layer::<&str, &str, _>(layer);
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "a");
    respond.send_error(io::Error::from(io::ErrorKind::ConnectionReset));
    // Nobody is ready: the second attempt waits.
    assert_pending!(call.poll());
    assert_pending!(call.poll());
    handle.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "a");
    respond.send_response("b");
    assert_eq!(assert_ready_ok!(call.poll()), "b");
}

#[tokio::test(start_paused = true)]
async fn an_inner_service_that_fails_to_become_ready_again_ends_the_call() {
    #[derive(Clone)]
    struct Once(bool);
    impl Service<()> for Once {
        type Response = ();
        type Error = BoxError;
        type Future = std::future::Ready<Result<(), BoxError>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), BoxError>> {
            let first = std::mem::replace(&mut self.0, false);
            std::task::Poll::Ready(if first { Ok(()) } else { Err("closed".into()) })
        }
        fn call(&mut self, (): ()) -> Self::Future {
            std::future::ready(Err(io::Error::from(io::ErrorKind::ConnectionReset).into()))
        }
    }
    let layer = eager().clone_requests().classifier(classify_fn(
        |outcome: Result<&(), &(dyn Error + 'static)>| outcome.err().map(classify_error),
    ));
    let error = layer.layer(Once(true)).oneshot(()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.reason(), gave_up.attempts().get()), (StopReason::NotReady, 1));
    assert_eq!(gave_up.source().unwrap().to_string(), "closed");
}

#[tokio::test(start_paused = true)]
async fn settings_of_a_layer_do_not_reach_services_made_before() {
    let layer = eager().max_retries(1);
    let script = answers(&[502, 502]);
    let service = layer.layer(script.clone());
    let _other = layer.clone().max_retries(9);
    service.oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_body_of_the_final_response_is_the_caller_s() {
    let script = upstream([Step::status(502), Step::ok("whole")]);
    let response = call(&eager(), &script, get()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "whole");
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
    fn no_post_without_a_key_is_sent_twice_unless_proven_unprocessed(
        outcomes in prop::collection::vec(outcome(), 1..4),
        method in prop::sample::select(vec![Method::POST, Method::PATCH]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let script = Script::new(outcomes.into_iter().map(|(status, error)| match error {
            Some(kind) => Act::Fail(io::Error::from(kind).into()),
            None => Act::Answer(response::<Body>(status)),
        }));
        let _ = runtime.block_on(call(&RetryLayer::new(), &script, request(&method)));
        prop_assert_eq!(script.count(), 1);
    }
}

#[tokio::test]
async fn a_classifier_is_asked_once_for_each_attempt() {
    for (failures, forcelist) in [(0, false), (1, false), (2, false), (0, true)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, sent) = (Arc::clone(&asked), Arc::new(AtomicUsize::new(0)));
        // A failure in a 200, as gRPC has it.
        let classifier = classify_fn(
            move |_: Result<&Response<Body>, &(dyn Error + 'static)>| -> Option<Failure> {
                let number = counted.fetch_add(1, Relaxed);
                (number < failures).then(|| Failure::new(Cause::Overloaded))
            },
        );
        let mut layer = eager().classifier(classifier);
        if forcelist {
            layer = layer.retry_statuses([202]);
        }
        let counted = Arc::clone(&sent);
        let upstream = service_fn(move |_: Request<ReplayBody<Body>>| {
            counted.fetch_add(1, Relaxed);
            async {
                // Later attempts are polled from elsewhere if they are not ready at once.
                tokio::task::yield_now().await;
                Ok::<_, BoxError>(Response::new(Body::default()))
            }
        });
        layer.layer(upstream).oneshot(get()).await.unwrap();
        assert_eq!(sent.load(Relaxed), failures + 1);
        assert_eq!(asked.load(Relaxed), failures + 1, "{failures} failures, {forcelist}");
    }
}
