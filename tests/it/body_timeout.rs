//! `BodyTimeoutLayer`.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use seawall::{
    BodyTimeoutLayer, BoxError, Cause, CircuitBreakerLayer, ErrorResponseLayer, Processed,
    RetryLayer,
    body_timeout::{Elapsed, TimeoutBody, TimeoutKind},
    classify::{classify_body_error, classify_error},
};
use tokio::{
    sync::mpsc,
    time::{Instant, advance, sleep},
};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Step, Steps, spend_the_budget};

const IDLE: Duration = Duration::from_millis(100);
const TOTAL: Duration = Duration::from_secs(1);
/// Of tokio's timers.
const TICK: Duration = Duration::from_millis(1);

/// The body of a response, timed.
fn timed<B: Body>(layer: &BodyTimeoutLayer, body: B) -> TimeoutBody<B> {
    let mut body = Some(body);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let response = Response::new(body.take().unwrap());
        async { Ok::<_, Infallible>(response) }
    }));
    service.oneshot(Request::new(())).now_or_never().unwrap().unwrap().into_body()
}

fn elapsed(error: &BoxError) -> (Duration, TimeoutKind) {
    let elapsed = error.downcast_ref::<Elapsed>().unwrap();
    (elapsed.limit(), elapsed.kind())
}

/// Yields what is sent to it, and ends with the sender.
struct Channel(mpsc::UnboundedReceiver<Bytes>);

impl Channel {
    fn new() -> (mpsc::UnboundedSender<Bytes>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(receiver))
    }
}

impl Body for Channel {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_time_passes_as_it_is() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let steps = [
        Step::Data("one".into()),
        Step::Pause,
        Step::Data("two".into()),
        Step::Trailers(trailers.clone()),
    ];
    let layer = BodyTimeoutLayer::new().idle(IDLE).total(TOTAL);
    let mut body = Box::pin(timed(&layer, Steps::sized(steps)));
    for left in [6, 3, 0] {
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(left), false));
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.is_trailers(), left == 0);
        assert_eq!(frame.trailers_ref(), (left == 0).then_some(&trailers));
    }
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_after_one_byte_fails_and_lets_go_of_its_connection() {
    let (sender, channel) = Channel::new();
    sender.send("x".into()).unwrap();
    let mut body = timed(&BodyTimeoutLayer::new().idle(IDLE), channel);
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
    let started = Instant::now();
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(started.elapsed() >= IDLE && started.elapsed() <= IDLE + TICK);
    assert_eq!(elapsed(&error), (IDLE, TimeoutKind::ResponseIdle));
    assert_eq!(error.to_string(), "no more of the response's body within 100ms");
    assert!(sender.is_closed(), "`body` is still alive here");
    assert!(body.is_end_stream() && body.frame().await.is_none());
    let failure = classify_body_error(&*error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::ConnectionReadTimeout, Processed::Yes)
    );
}

#[tokio::test(start_paused = true)]
async fn each_frame_begins_the_wait_anew() {
    let (sender, channel) = Channel::new();
    let sending = tokio::spawn(async move {
        for _ in 0..20 {
            sleep(IDLE * 98 / 100).await;
            sender.send("x".into()).unwrap();
        }
    });
    let body = timed(&BodyTimeoutLayer::new().idle(IDLE), channel);
    assert_eq!(body.collect().await.unwrap().to_bytes().len(), 20);
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_many_frames_a_stall_still_fails_on_time() {
    let (sender, channel) = Channel::new();
    let mut body = timed(&BodyTimeoutLayer::new().idle(IDLE), channel);
    for _ in 0..5 {
        let mut frame = task::spawn(body.frame());
        assert_pending!(frame.poll());
        advance(IDLE * 7 / 10).await;
        sender.send("x".into()).unwrap();
        assert_ready!(frame.poll()).unwrap().unwrap();
    }
    let started = Instant::now();
    assert_eq!(
        elapsed(&body.frame().await.unwrap().unwrap_err()),
        (IDLE, TimeoutKind::ResponseIdle)
    );
    assert!(started.elapsed() >= IDLE && started.elapsed() <= IDLE + TICK);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_its_time_is_not_held_against_the_sender() {
    let (sender, channel) = Channel::new();
    let mut body = timed(&BodyTimeoutLayer::new().idle(IDLE), channel);
    for _ in 0..3 {
        sender.send("x".into()).unwrap();
        body.frame().await.unwrap().unwrap();
        advance(IDLE * 10).await;
    }
    let mut frame = task::spawn(body.frame());
    assert_pending!(frame.poll());
    advance(IDLE * 99 / 100).await;
    assert_pending!(frame.poll());
}

#[tokio::test(start_paused = true)]
async fn a_trickle_ends_with_the_time_for_the_whole() {
    let (sender, channel) = Channel::new();
    tokio::spawn(async move {
        while sender.send("x".into()).is_ok() {
            sleep(IDLE / 2).await;
        }
    });
    let started = Instant::now();
    let body = timed(&BodyTimeoutLayer::new().idle(IDLE).total(TOTAL), channel);
    let error = body.collect().await.unwrap_err();
    assert!(started.elapsed() >= TOTAL && started.elapsed() <= TOTAL + TICK);
    assert_eq!(elapsed(&error), (TOTAL, TimeoutKind::ResponseTotal));
    assert_eq!(classify_error(&*error).cause(), Cause::HttpResponseTimeout);
}

#[tokio::test(start_paused = true)]
async fn the_sooner_limit_is_the_one_that_is_told() {
    for (idle, total, phase) in [
        (IDLE, TOTAL, TimeoutKind::ResponseIdle),
        (TOTAL, IDLE, TimeoutKind::ResponseTotal),
        (Duration::MAX, IDLE, TimeoutKind::ResponseTotal),
        (IDLE, Duration::MAX, TimeoutKind::ResponseIdle),
    ] {
        let layer = BodyTimeoutLayer::new().idle(idle).total(total);
        let error = timed(&layer, Steps::new([Step::Stall])).collect().await.unwrap_err();
        assert_eq!(elapsed(&error), (IDLE, phase));
    }
}

#[tokio::test(start_paused = true)]
async fn duration_max_never_fails() {
    let layer = BodyTimeoutLayer::new().idle(Duration::MAX).total(Duration::MAX);
    let mut body = task::spawn(timed(&layer, Steps::new([Step::Stall])).collect());
    assert_pending!(body.poll());
    advance(Duration::from_secs(u32::MAX.into())).await;
    assert_pending!(body.poll());
}

#[tokio::test(start_paused = true)]
async fn zero_allows_only_what_is_there() {
    for layer in [
        BodyTimeoutLayer::new().idle(Duration::ZERO),
        BodyTimeoutLayer::new().total(Duration::ZERO),
    ] {
        let there = timed(&layer, Full::<Bytes>::from("whole"));
        assert_eq!(there.collect().await.unwrap().to_bytes(), "whole");
        let mut body = Box::pin(timed(&layer, Steps::new([Step::Data("x".into()), Step::Stall])));
        body.frame().await.unwrap().unwrap();
        assert!(body.frame().await.unwrap().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_there_beats_a_limit_that_has_passed() {
    let (sender, channel) = Channel::new();
    let mut body = timed(&BodyTimeoutLayer::new().idle(IDLE).total(IDLE), channel);
    let mut frame = task::spawn(body.frame());
    assert_pending!(frame.poll());
    advance(IDLE * 2).await;
    sender.send("x".into()).unwrap();
    assert!(assert_ready!(frame.poll()).unwrap().is_ok());
}

#[test]
fn a_body_that_is_there_needs_no_runtime() {
    let body =
        timed(&BodyTimeoutLayer::new().idle(IDLE).total(TOTAL), Full::<Bytes>::from("whole"));
    assert_eq!(body.collect().now_or_never().unwrap().unwrap().to_bytes(), "whole");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_body_is_kept() {
    let error = timed(&BodyTimeoutLayer::new(), Steps::new([Step::Error])).collect().await;
    assert_eq!(error.unwrap_err().to_string(), "the body failed");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_body_at_any_frame_releases_everything() {
    for polls in 0..4 {
        let (sender, channel) = Channel::new();
        let mut body = timed(&BodyTimeoutLayer::new().idle(IDLE).total(TOTAL), channel);
        for _ in 0..polls {
            assert_pending!(task::spawn(body.frame()).poll());
            sender.send("x".into()).unwrap();
            assert_ready!(task::spawn(body.frame()).poll()).unwrap().unwrap();
        }
        let waiting = task::spawn(body.frame()).poll().is_pending();
        assert!(waiting && !sender.is_closed());
        drop(body);
        assert!(sender.is_closed());
    }
}

/// Spends the whole cooperative budget on every poll.
struct Hog {
    _held: Arc<()>,
}

impl Body for Hog {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        spend_the_budget(cx);
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn it_fires_within_a_tick_though_the_body_spends_the_budget() {
    for layer in [BodyTimeoutLayer::new().idle(IDLE), BodyTimeoutLayer::new().total(IDLE)] {
        let held = Arc::new(());
        let mut body = timed(&layer, Hog { _held: Arc::clone(&held) });
        let mut frame = task::spawn(body.frame());
        assert_pending!(frame.poll());
        assert!(frame.is_woken());
        advance(IDLE * 99 / 100).await;
        assert_pending!(frame.poll());
        advance(TICK * 2).await;
        assert!(assert_ready!(frame.poll()).unwrap().is_err());
        drop(frame);
        assert_eq!(Arc::strong_count(&held), 1, "`body` is still alive here");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_stalls_is_an_error_in_its_body_and_answered_408() {
    for (layer, phase, limit) in [
        (BodyTimeoutLayer::for_requests().idle(IDLE), TimeoutKind::RequestIdle, IDLE),
        (BodyTimeoutLayer::for_requests().total(TOTAL), TimeoutKind::RequestTotal, TOTAL),
    ] {
        let server = ServiceBuilder::new()
            .layer(ErrorResponseLayer::new("edge"))
            .layer(layer)
            .service_fn(move |request: Request<TimeoutBody<Steps>>| async move {
                let error = request.into_body().collect().await.unwrap_err();
                assert_eq!(elapsed(&error), (limit, phase));
                Err::<Response<Full<Bytes>>, _>(error)
            });
        let body = Steps::new([Step::Data("x".into()), Step::Stall]);
        let response = server.oneshot(Request::new(body)).await.unwrap();
        assert_eq!(response.status(), 408);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["cause"], "request_timeout");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_in_time_passes_as_it_is() {
    let layer = BodyTimeoutLayer::for_requests();
    let server = layer.layer(service_fn(async |request: Request<TimeoutBody<Steps>>| {
        assert_eq!(request.body().size_hint().exact(), Some(3));
        Ok::<_, BoxError>(Response::new(request.into_body().collect().await?.to_bytes()))
    }));
    let body = Steps::sized([Step::Data("on".into()), Step::Pause, Step::Data("e".into())]);
    assert_eq!(server.oneshot(Request::new(body)).await.unwrap().into_body(), "one");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_counts_a_response_that_stalls_but_not_a_request_that_does() {
    let breaker = CircuitBreakerLayer::new().until_body_end();
    let stalling = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Steps::new([Step::Data("x".into()), Step::Stall])))
    });
    let client = ServiceBuilder::new()
        .layer(breaker.clone())
        .layer(BodyTimeoutLayer::new().idle(IDLE))
        .service(stalling);
    let response = client.oneshot(Request::default()).await.unwrap();
    response.into_body().collect().await.unwrap_err();
    let counts = breaker.handle().snapshot();
    assert_eq!((counts.calls(), counts.failures()), (1, 1));

    let server = ServiceBuilder::new()
        .layer(BodyTimeoutLayer::for_requests().idle(IDLE))
        .layer(breaker.clone())
        .service_fn(async |request: Request<TimeoutBody<Steps>>| {
            let body = request.into_body().collect().await?;
            Ok::<_, BoxError>(Response::new(Full::new(body.to_bytes())))
        });
    server.oneshot(Request::new(Steps::new([Step::Stall]))).await.unwrap_err();
    let counts = breaker.handle().snapshot();
    assert_eq!((counts.calls(), counts.failures()), (1, 1));
}

#[test]
fn each_phase_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> =
        TimeoutKind::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), TimeoutKind::ALL.len());
    assert!(names.iter().flat_map(|name| name.chars()).all(|c| c == '_' || c.is_ascii_lowercase()));
}

/// Real sockets, so real time.
#[cfg(feature = "hyper-util")]
#[tokio::test]
async fn a_slow_request_that_hyper_was_sending_on_is_answered_408_too() {
    use crate::support::sockets::{channel, hyper, origin, request, url};

    let origin = origin(scripted_origin::Script::Healthy).await;
    let server = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(BodyTimeoutLayer::for_requests().idle(IDLE));
    // That a PUT may be sent again does not help: its caller is too slow.
    for (method, retry) in [("POST", false), ("PUT", true)] {
        let (sender, body) = channel();
        sender.send("x".into()).unwrap();
        let request = request(method, &url(&origin), body);
        let response = if retry {
            let gateway = server.clone().layer(RetryLayer::new()).service(hyper());
            gateway.oneshot(request).await.unwrap().map(drop)
        } else {
            server.clone().service(hyper()).oneshot(request).await.unwrap().map(drop)
        };
        assert_eq!(response.status(), 408, "{method}");
        let seen = response.extensions().get::<seawall::Failure>().unwrap();
        // Some of it was sent.
        assert_eq!((seen.cause(), seen.processed()), (Cause::RequestTimeout, Processed::Maybe));
    }
    assert_eq!(origin.requests(), 2);
}

/// Real sockets, so real time.
#[cfg(feature = "hyper-util")]
#[tokio::test]
async fn a_caller_that_stalls_after_one_byte_is_answered_408_by_a_gateway() {
    use axum::{Router, body, serve};
    use seawall::{TimeoutLayer, retry::ReplayBody};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use crate::support::sockets::{LIMIT, hyper, origin, url};

    let origin = origin(scripted_origin::Script::Healthy).await;
    let upstream: http::Uri = url(&origin).parse().unwrap();
    let gateway = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(BodyTimeoutLayer::for_requests().idle(IDLE))
        .layer(RetryLayer::new())
        .layer(TimeoutLayer::new(LIMIT))
        .map_request(move |mut request: Request<ReplayBody<TimeoutBody<body::Body>>>| {
            request.uri_mut().clone_from(&upstream);
            request
        })
        .service(hyper());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    // Ends with the test's runtime.
    tokio::spawn(async { serve(listener, Router::new().fallback_service(gateway)).await });

    let mut caller = TcpStream::connect(at).await.unwrap();
    caller.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx").await.unwrap();
    let mut answer = String::new();
    // To the end: the rest of the request can never be told from another one.
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("\"cause\":\"request_timeout\""), "{answer}");
}
