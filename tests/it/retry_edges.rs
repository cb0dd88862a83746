//! `RetryLayer` at its edges: what comes late, what is large in number and small in size, what a proof is worth.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use seawall::{
    BoxError, Cause, Deadline, Failure, GrpcClassifier, Processed, RetryLayer,
    classify::classify_error,
    retry::{AttemptNumber, Backoff, Budget, ReplayBody, RetryReport, StopReason},
};
use tokio::time::Instant;
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;
use tracing::level_filters::LevelFilter;

use crate::{
    log_capture::Recorder,
    support::{Act, Script, Step, Steps, get, response},
};

type Body = Full<Bytes>;

fn post() -> Request<Body> {
    Request::post("http://upstream/").body(Body::from("pay")).unwrap()
}

fn put<B>(body: B) -> Request<B> {
    Request::put("http://upstream/").body(body).unwrap()
}

fn eager() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none())
}

fn fail(kind: io::ErrorKind) -> Act<Body> {
    Act::Fail(io::Error::from(kind).into())
}

fn within(time: Duration) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(time));
    request
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_begun_after_a_readiness_that_came_too_late() {
    let layer = eager().min_attempt_time(ms(1_000)).map_body(|_| Body::default());
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(layer);
    handle.allow(1);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(within(ms(2_000))));
    handle.next_request().await.unwrap().1.send_response(response(502));
    assert_pending!(call.poll());
    // Half a second is left, less than an attempt needs.
    tokio::time::advance(ms(1_500)).await;
    handle.allow(1);
    assert!(call.poll().is_ready());
    assert_pending!(task::spawn(handle.next_request()).poll());
}

#[tokio::test(start_paused = true)]
async fn what_the_last_attempt_proves_is_no_proof_for_those_before_it() {
    let reset_then_refused =
        [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused].map(fail);
    let layer = eager().max_retries(1);
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
async fn a_layer_around_another_one_does_not_take_such_a_proof_either() {
    let script =
        Script::new([fail(io::ErrorKind::ConnectionReset), fail(io::ErrorKind::ConnectionRefused)]);
    let service = ServiceBuilder::new()
        .layer(eager())
        .layer(eager().retry_all_methods().max_retries(1))
        .service(script.clone());
    service.oneshot(post()).await.unwrap_err();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_timeout_that_left_no_time_to_try_again_is_504() {
    let script = Script::new([Act::Answer(response(503)), fail(io::ErrorKind::TimedOut)]);
    let service = ServiceBuilder::new()
        .layer(seawall::ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new().backoff(Backoff::constant(ms(1_000))))
        .service(script);
    assert_eq!(service.oneshot(within(ms(1_200))).await.unwrap().status(), 504);
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_call_that_was_shed_at_last_has_the_upstream_s_wait() {
    let mut busy = response::<Body>(503);
    busy.headers_mut().insert("retry-after", "7".parse().unwrap());
    let shed = Failure::new(Cause::ConnectionLimitReached);
    let script = Script::new([Act::Answer(busy), Act::Fail(shed.into())]);
    let service = ServiceBuilder::new()
        .layer(seawall::ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new())
        .service(script);
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "7");
}

/// Ready once, and for later calls never.
#[derive(Clone)]
struct Once(bool);

impl Service<Request<ReplayBody<Body>>> for Once {
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
async fn giving_up_for_want_of_readiness_is_told_too() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    eager().layer(Once(true)).oneshot(get()).await.unwrap_err();
    let events = recorder.events();
    let stops: Vec<_> = events.iter().filter_map(|event| event.get("stop_reason")).collect();
    assert_eq!(stops, ["not_ready"]);
}

#[tokio::test(start_paused = true)]
async fn jitter_does_not_refuse_a_wait_that_fits() {
    for _ in 0..100 {
        let mut busy = response::<Body>(503);
        busy.headers_mut().insert("retry-after", "10".parse().unwrap());
        let script = Script::new([Act::Answer(busy), Act::Answer(response(200))]);
        let response = RetryLayer::new().layer(script).oneshot(within(ms(10_500))).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pushback_of_zero_is_at_once() {
    let unavailable =
        Response::builder().header("grpc-status", "14").header("grpc-retry-pushback-ms", "0");
    let script = Script::new([
        Act::Answer(unavailable.body(Body::default()).unwrap()),
        Act::Answer(response(200)),
    ]);
    let layer = RetryLayer::new().classifier(GrpcClassifier::new()).retry_all_methods();
    let started = Instant::now();
    layer.backoff(Backoff::constant(ms(1_000))).layer(script).oneshot(post()).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_empty_idempotency_key_is_none() {
    for (key, sent) in [("", 1), (" ", 1), ("\"\"", 1), ("\"k\"", 2), ("k", 2)] {
        let script = Script::new([Act::Answer(response::<Body>(502)), Act::Answer(response(200))]);
        let mut request = post();
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        eager().layer(script.clone()).oneshot(request).await.unwrap();
        assert_eq!(script.count(), sent, "{key:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_stands_for_an_open_circuit_is_not_retried() {
    let mut refused = response::<Body>(503);
    let open = Failure::new(Cause::CircuitOpen).with_status(refused.status());
    refused.extensions_mut().insert(open);
    let script = Script::new([Act::Answer(refused)]);
    let response = eager().layer(script).oneshot(get()).await.unwrap();
    assert_eq!(
        response.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::CircuitOpen)
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_over_does_not_stand_in_a_queue_for_a_permit() {
    let script =
        Script::new([Act::Answer(response::<Body>(502)), Act::Hang, Act::Answer(response(200))]);
    let wait = Duration::from_secs(5);
    let limited = ServiceBuilder::new()
        .layer(RetryLayer::new().backoff(Backoff::constant(wait)))
        .concurrency_limit(1)
        .service(script.clone());
    let mut first = limited.clone();
    let ready = ServiceExt::<Request<Body>>::ready(&mut first).await.unwrap();
    let mut waiting = task::spawn(ready.call(within(Duration::from_secs(6))));
    assert_pending!(waiting.poll());
    let mut busy = task::spawn(limited.clone().oneshot(get()));
    assert_pending!(busy.poll());
    tokio::time::advance(wait + ms(5)).await;
    assert_pending!(waiting.poll());
    tokio::time::advance(wait).await;
    assert!(waiting.poll().is_ready());
    drop(first);
    drop(busy);
    // It is over, and not dropped.
    assert_eq!(limited.oneshot(get()).await.unwrap().status(), 200);
    drop(waiting);
}

/// So many frames of these bytes.
struct Frames(usize, &'static [u8]);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.1)))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_of_too_many_small_or_empty_frames_is_sent_whole_and_once() {
    for (frames, bytes, sent) in [(1_024, b"x".as_slice(), 2), (1_025, b"x", 1), (1_025, b"", 1)] {
        let script = Script::new([Act::Answer(response::<Body>(502)), Act::Answer(response(200))]);
        eager().layer(script.clone()).oneshot(put(Frames(frames, bytes))).await.unwrap();
        assert_eq!(script.count(), sent, "{frames} of {bytes:?}");
        assert!(script.sent().iter().all(|sent| sent.data.len() == frames * bytes.len()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_response_of_endless_empty_frames_does_not_hold_the_retry_up() {
    let inner = service_fn(async |request: Request<ReplayBody<Body>>| {
        let mut response = Response::new(Frames(usize::MAX, b""));
        if request.extensions().get::<AttemptNumber>().is_none() {
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
        }
        Ok::<_, BoxError>(response)
    });
    assert_eq!(eager().layer(inner).oneshot(get()).await.unwrap().status(), 200);
}

/// An endless body of pieces of 1 KiB, of which it counts how many are read.
#[derive(Default)]
struct Endless(Arc<AtomicUsize>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 1_024])))))
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_failed_response_16_kib_are_read() {
    let read = Arc::new(AtomicUsize::new(0));
    let inner = {
        let read = Arc::clone(&read);
        service_fn(move |request: Request<ReplayBody<Body>>| {
            let mut response = Response::new(Endless(Arc::clone(&read)));
            if request.extensions().get::<AttemptNumber>().is_none() {
                *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            }
            std::future::ready(Ok::<_, BoxError>(response))
        })
    };
    eager().layer(inner).oneshot(get()).await.unwrap();
    // And the one beyond them.
    assert_eq!(read.load(Ordering::Relaxed), 17);
}

#[tokio::test(start_paused = true)]
async fn a_first_success_is_not_marked_whatever_the_forcelist_has() {
    let script = Script::new([Act::Answer(response::<Body>(200))]);
    let response = eager().retry_statuses([202]).layer(script).oneshot(get()).await.unwrap();
    assert!(response.extensions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_http_has_no_uri_to_be_keyed_by() {
    let layer = RetryLayer::new()
        .budget_per_key(Budget::default(), |_| panic!("asked"))
        .clone_requests()
        .classifier(seawall::classify_fn(
            |outcome: Result<&(), &(dyn std::error::Error + 'static)>| {
                outcome.err().map(classify_error)
            },
        ));
    let inner = service_fn(async |(): ()| Ok::<_, BoxError>(()));
    layer.layer(inner).oneshot(()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_of_a_body_is_let_go_when_the_call_is_over() {
    struct Owner {
        _held: Arc<()>,
    }
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            b"kept"
        }
    }
    let held = Arc::new(());
    let rest = Arc::new(Mutex::new(None));
    let inner = {
        let rest = Arc::clone(&rest);
        service_fn(move |request: Request<ReplayBody<Steps>>| {
            let mut body = Box::pin(request.into_body());
            let rest = Arc::clone(&rest);
            async move {
                body.frame().await.unwrap()?;
                // Still being sent, by somebody else.
                *rest.lock().unwrap() = Some(body);
                Ok::<_, BoxError>(response::<Body>(200))
            }
        })
    };
    let data = Bytes::from_owner(Owner { _held: Arc::clone(&held) });
    let steps = Steps::new([Step::Data(data), Step::Stall]);
    eager().layer(inner).oneshot(put(steps)).await.unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(rest.lock().unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn trailers_count_towards_the_limit() {
    for (limit, sent) in [(11, 2), (10, 1)] {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("xy", "z".parse().unwrap());
        let body = Steps::new([Step::Data("12345678".into()), Step::Trailers(trailers)]);
        let script = Script::new([Act::Answer(response::<Body>(502)), Act::Answer(response(200))]);
        eager().max_replay_bytes(limit).layer(script.clone()).oneshot(put(body)).await.unwrap();
        assert_eq!(script.count(), sent, "{limit}");
    }
}

#[test]
fn what_is_debugged_says_what_it_is() {
    let layer = RetryLayer::new()
        .on_retry(|_| {})
        .budget_per_key(Budget::new(seawall::Ratio::percent(7), 5), seawall::retry::by_authority);
    let text = format!("{layer:?}");
    for part in ["RetryLayer", "Doubling(100ms)", "Hook", "70000", "min: 5"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(format!("{:?}", Budget::default()).contains("200000"));
    assert_eq!(format!("{:?}", Budget::none()), "Budget::none");
    let growths = [
        Backoff::constant(ms(3)),
        Backoff::urllib3(0.5).unwrap(),
        Backoff::custom(|_| Duration::ZERO),
    ];
    let text = format!("{growths:?}");
    assert!(
        text.contains("Constant(3ms)") && text.contains("Urllib3(0.5)") && text.contains("Custom")
    );
    assert!(
        format!("{:?}", RetryLayer::new().map_body(|_: ReplayBody<Body>| ()))
            .contains("MappedBody")
    );
    let error = Backoff::urllib3(-1.0).unwrap_err().to_string();
    assert_eq!(error, "a backoff factor is a number of seconds, zero or more");
}

#[tokio::test(start_paused = true)]
async fn what_runs_can_be_debugged_too() {
    let texts = Arc::new(Mutex::new(Vec::new()));
    let inner = {
        let texts = Arc::clone(&texts);
        service_fn(move |request: Request<ReplayBody<Body>>| {
            texts.lock().unwrap().push(format!("{:?}", request.body()));
            std::future::ready(Ok::<_, BoxError>(response::<Body>(200)))
        })
    };
    let service = eager().max_replay_bytes(3).layer(inner);
    for body in ["", "pay", "more"] {
        service.clone().oneshot(put(Body::from(body))).await.unwrap();
    }
    let kinds = ["ReplayBody(Empty)", "ReplayBody(Kept)", "ReplayBody(Once)"];
    assert_eq!(*texts.lock().unwrap(), kinds);
    let mut service = eager().layer(Script::new([Act::<Body>::Hang]));
    let call = service.call(get());
    assert!(format!("{call:?}").contains("made: 1"));
}

/// Announces its whole size to the last.
struct Constant(Option<Bytes>);

impl http_body::Body for Constant {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(5)
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_announces_what_the_first_one_did() {
    let hints = Arc::new(Mutex::new(Vec::new()));
    let inner = {
        let hints = Arc::clone(&hints);
        service_fn(move |request: Request<ReplayBody<Constant>>| {
            hints.lock().unwrap().push(request.body().size_hint().exact());
            async move {
                request.into_body().collect().await?;
                Ok::<_, BoxError>(response::<Body>(502))
            }
        })
    };
    let hello = Constant(Some(Bytes::from_static(b"hello")));
    eager().max_retries(2).layer(inner).oneshot(put(hello)).await.unwrap();
    assert_eq!(*hints.lock().unwrap(), [Some(5); 3]);
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_woken_as_often_as_the_caller_s_body_wakes_it() {
    let woken = Arc::new(AtomicUsize::new(0));
    let inner = {
        let woken = Arc::clone(&woken);
        service_fn(move |request: Request<ReplayBody<Steps>>| {
            let count = Arc::new(Wakes::default());
            let waker = Waker::from(Arc::clone(&count));
            let mut body = Box::pin(request.into_body());
            let mut poll = || body.as_mut().poll_frame(&mut Context::from_waker(&waker));
            while !matches!(poll(), Poll::Ready(None)) {}
            woken.store(count.0.load(Ordering::SeqCst), Ordering::SeqCst);
            std::future::ready(Ok::<_, BoxError>(response::<Body>(200)))
        })
    };
    let steps = [(); 3].map(|()| [Step::Pause, Step::Data("x".into())]);
    eager().layer(inner).oneshot(put(Steps::new(steps.concat()))).await.unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 3);
}

/// Pending for ever; the first poll stays inside until it is told to go on.
struct Slow {
    inside: mpsc::Sender<()>,
    leave: Option<mpsc::Receiver<()>>,
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(leave) = self.leave.take() {
            self.inside.send(()).unwrap();
            leave.recv().unwrap();
        }
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_overtaken_while_it_polls_ends_then_and_there() {
    let (inside, is_inside) = mpsc::channel();
    let (go_on, leave) = mpsc::channel();
    let is_inside = Arc::new(Mutex::new(is_inside));
    let first = Arc::new(Mutex::new(None));
    let inner = {
        let first = Arc::clone(&first);
        service_fn(move |request: Request<ReplayBody<Slow>>| {
            let mut body = Box::pin(request.into_body());
            let mut first = first.lock().unwrap();
            if first.is_none() {
                // As the task of a connection on another thread does.
                *first = Some(std::thread::spawn(move || {
                    let polled = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
                    matches!(polled, Poll::Ready(Some(Err(_))))
                }));
                is_inside.lock().unwrap().recv().unwrap();
            }
            std::future::ready(Ok::<_, BoxError>(response::<Body>(502)))
        })
    };
    let body = Slow { inside, leave: Some(leave) };
    eager().max_retries(1).layer(inner).oneshot(put(body)).await.unwrap();
    go_on.send(()).unwrap();
    assert!(first.lock().unwrap().take().unwrap().join().unwrap());
}

/// An outcome, and whether it proves that the request was not processed.
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
    fn no_request_that_may_do_harm_twice_is_sent_again_without_a_key_or_proof(
        script in prop::collection::vec(outcome(), 1..6),
        method in prop::sample::select(vec!["POST", "PATCH", "LOCK", "PURGE"]),
    ) {
        let acts = script.iter().map(|&(status, what, _)| match what {
            "refused" => fail(io::ErrorKind::ConnectionRefused),
            "reset" => fail(io::ErrorKind::ConnectionReset),
            "timeout" => fail(io::ErrorKind::TimedOut),
            header => {
                let mut answer = response::<Body>(status);
                if let Some((name, value)) = header.split_once(": ") {
                    let name = http::HeaderName::from_static(name);
                    answer.headers_mut().insert(name, value.parse().unwrap());
                }
                Act::Answer(answer)
            }
        });
        let sent = Script::new(acts.chain([Act::Answer(response(200))]));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let request = Request::builder().method(method).uri("http://upstream/");
        let request = request.body(Body::from("pay")).unwrap();
        let _ = runtime.block_on(eager().max_retries(10).layer(sent.clone()).oneshot(request));
        // One more than were provably not processed, up to the first that was not.
        let proven = script.iter().take_while(|(_, _, proof)| *proof).count();
        prop_assert_eq!(sent.count(), proven + 1);
    }
}
