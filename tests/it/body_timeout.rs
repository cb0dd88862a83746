//! Tests of the idle and total timeouts of `BodyTimeoutLayer`.

mod request_bodies;

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
    BoxError, Cause, Elapsed, Processed, TimeoutBody, TimeoutKind,
    body_timeout::BodyTimeoutLayer,
    classify::{classify_body_error, classify_error},
};
use tokio::{
    sync::mpsc,
    time::{Instant, advance, sleep},
};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{ScriptedBody, Step, exhaust_coop_budget};

const IDLE: Duration = Duration::from_millis(100);

const TOTAL: Duration = Duration::from_secs(1);

/// The resolution of tokio's timers.
const TIMER_RESOLUTION: Duration = Duration::from_millis(1);

/// Returns `body` as the response body of a service with `layer`.
fn with_timeouts<B: Body>(layer: &BodyTimeoutLayer, body: B) -> TimeoutBody<B> {
    let mut body = Some(body);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let response = Response::new(body.take().unwrap());
        async { Ok::<_, Infallible>(response) }
    }));
    service.oneshot(Request::new(())).now_or_never().unwrap().unwrap().into_body()
}

fn limit_and_kind(error: &BoxError) -> (Duration, TimeoutKind) {
    let elapsed = error.downcast_ref::<Elapsed>().unwrap();
    (elapsed.limit(), elapsed.kind())
}

/// A body that yields the frames sent to it and ends when the sender is dropped.
struct ChannelBody(mpsc::UnboundedReceiver<Bytes>);

impl ChannelBody {
    fn new() -> (mpsc::UnboundedSender<Bytes>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(receiver))
    }
}

impl Body for ChannelBody {
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
async fn body_within_limits_passes_unchanged() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let steps = [
        Step::Data("one".into()),
        Step::Pause,
        Step::Data("two".into()),
        Step::Trailers(trailers.clone()),
    ];
    let layer = BodyTimeoutLayer::new().idle(IDLE).total(TOTAL);
    let mut body = Box::pin(with_timeouts(&layer, ScriptedBody::sized(steps)));
    for remaining in [6, 3, 0] {
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(remaining), false));
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.is_trailers(), remaining == 0);
        assert_eq!(frame.trailers_ref(), (remaining == 0).then_some(&trailers));
    }
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn stalled_body_fails_and_releases_inner_body() {
    let (sender, channel) = ChannelBody::new();
    sender.send("x".into()).unwrap();
    let mut body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE), channel);
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
    let started = Instant::now();
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(started.elapsed() >= IDLE && started.elapsed() <= IDLE + TIMER_RESOLUTION);
    assert_eq!(limit_and_kind(&error), (IDLE, TimeoutKind::ResponseIdle));
    assert_eq!(error.to_string(), "no more of the response body within 100ms");
    assert!(sender.is_closed(), "expected the inner body to be dropped before `body`");
    assert!(body.is_end_stream() && body.frame().await.is_none());
    let failure = classify_body_error(&*error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::ConnectionReadTimeout, Processed::Yes)
    );
}

#[tokio::test(start_paused = true)]
async fn each_frame_restarts_idle_timeout() {
    let (sender, channel) = ChannelBody::new();
    let sending = tokio::spawn(async move {
        for _ in 0..20 {
            sleep(IDLE * 98 / 100).await;
            sender.send("x".into()).unwrap();
        }
    });
    let body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE), channel);
    assert_eq!(body.collect().await.unwrap().to_bytes().len(), 20);
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn body_fails_on_time_when_stalled_after_frames() {
    let (sender, channel) = ChannelBody::new();
    let mut body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE), channel);
    for _ in 0..5 {
        let mut frame = task::spawn(body.frame());
        assert_pending!(frame.poll());
        advance(IDLE * 7 / 10).await;
        sender.send("x".into()).unwrap();
        assert_ready!(frame.poll()).unwrap().unwrap();
    }
    let started = Instant::now();
    assert_eq!(
        limit_and_kind(&body.frame().await.unwrap().unwrap_err()),
        (IDLE, TimeoutKind::ResponseIdle)
    );
    assert!(started.elapsed() >= IDLE && started.elapsed() <= IDLE + TIMER_RESOLUTION);
}

#[tokio::test(start_paused = true)]
async fn slow_reader_does_not_consume_idle_timeout() {
    let (sender, channel) = ChannelBody::new();
    let mut body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE), channel);
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
async fn trickling_body_fails_at_total_timeout() {
    let (sender, channel) = ChannelBody::new();
    tokio::spawn(async move {
        while sender.send("x".into()).is_ok() {
            sleep(IDLE / 2).await;
        }
    });
    let started = Instant::now();
    let body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE).total(TOTAL), channel);
    let error = body.collect().await.unwrap_err();
    assert!(started.elapsed() >= TOTAL && started.elapsed() <= TOTAL + TIMER_RESOLUTION);
    assert_eq!(limit_and_kind(&error), (TOTAL, TimeoutKind::ResponseTotal));
    assert_eq!(classify_error(&*error).cause(), Cause::HttpResponseTimeout);
}

#[tokio::test(start_paused = true)]
async fn error_reports_limit_that_elapsed_first() {
    for (idle, total, kind) in [
        (IDLE, TOTAL, TimeoutKind::ResponseIdle),
        (TOTAL, IDLE, TimeoutKind::ResponseTotal),
        (Duration::MAX, IDLE, TimeoutKind::ResponseTotal),
        (IDLE, Duration::MAX, TimeoutKind::ResponseIdle),
    ] {
        let layer = BodyTimeoutLayer::new().idle(idle).total(total);
        let error =
            with_timeouts(&layer, ScriptedBody::new([Step::Stall])).collect().await.unwrap_err();
        assert_eq!(limit_and_kind(&error), (IDLE, kind));
    }
}

#[tokio::test(start_paused = true)]
async fn maximum_duration_never_elapses() {
    let layer = BodyTimeoutLayer::new().idle(Duration::MAX).total(Duration::MAX);
    let mut body = task::spawn(with_timeouts(&layer, ScriptedBody::new([Step::Stall])).collect());
    assert_pending!(body.poll());
    advance(Duration::from_secs(u32::MAX.into())).await;
    assert_pending!(body.poll());
}

#[tokio::test(start_paused = true)]
async fn zero_timeout_allows_only_ready_frames() {
    for layer in [
        BodyTimeoutLayer::new().idle(Duration::ZERO),
        BodyTimeoutLayer::new().total(Duration::ZERO),
    ] {
        let ready = with_timeouts(&layer, Full::<Bytes>::from("whole"));
        assert_eq!(ready.collect().await.unwrap().to_bytes(), "whole");
        let mut body = Box::pin(with_timeouts(
            &layer,
            ScriptedBody::new([Step::Data("x".into()), Step::Stall]),
        ));
        body.frame().await.unwrap().unwrap();
        assert!(body.frame().await.unwrap().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn ready_frame_precedes_elapsed_limit() {
    let (sender, channel) = ChannelBody::new();
    let mut body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE).total(IDLE), channel);
    let mut frame = task::spawn(body.frame());
    assert_pending!(frame.poll());
    advance(IDLE * 2).await;
    sender.send("x".into()).unwrap();
    assert!(assert_ready!(frame.poll()).unwrap().is_ok());
}

#[test]
fn ready_body_needs_no_runtime() {
    let body = with_timeouts(
        &BodyTimeoutLayer::new().idle(IDLE).total(TOTAL),
        Full::<Bytes>::from("whole"),
    );
    assert_eq!(body.collect().now_or_never().unwrap().unwrap().to_bytes(), "whole");
}

#[tokio::test(start_paused = true)]
async fn body_returns_inner_error_unchanged() {
    let error =
        with_timeouts(&BodyTimeoutLayer::new(), ScriptedBody::new([Step::Error])).collect().await;
    assert_eq!(error.unwrap_err().to_string(), "the body failed");
}

#[tokio::test(start_paused = true)]
async fn dropped_body_releases_inner_body_at_any_frame() {
    for polls in 0..4 {
        let (sender, channel) = ChannelBody::new();
        let mut body = with_timeouts(&BodyTimeoutLayer::new().idle(IDLE).total(TOTAL), channel);
        for _ in 0..polls {
            assert_pending!(task::spawn(body.frame()).poll());
            sender.send("x".into()).unwrap();
            assert_ready!(task::spawn(body.frame()).poll()).unwrap().unwrap();
        }
        let is_pending = task::spawn(body.frame()).poll().is_pending();
        assert!(is_pending && !sender.is_closed());
        drop(body);
        assert!(sender.is_closed());
    }
}

/// A body that spends the whole cooperative budget on every poll.
struct BudgetSpendingBody {
    _held: Arc<()>,
}

impl Body for BudgetSpendingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        exhaust_coop_budget(cx);
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_fires_on_time_when_body_spends_coop_budget() {
    for layer in [BodyTimeoutLayer::new().idle(IDLE), BodyTimeoutLayer::new().total(IDLE)] {
        let held = Arc::new(());
        let mut body = with_timeouts(&layer, BudgetSpendingBody { _held: Arc::clone(&held) });
        let mut frame = task::spawn(body.frame());
        assert_pending!(frame.poll());
        assert!(frame.is_woken());
        advance(IDLE * 99 / 100).await;
        assert_pending!(frame.poll());
        advance(TIMER_RESOLUTION * 2).await;
        assert!(assert_ready!(frame.poll()).unwrap().is_err());
        drop(frame);
        assert_eq!(
            Arc::strong_count(&held),
            1,
            "expected the inner body to be dropped before `body`"
        );
    }
}

#[test]
fn each_timeout_kind_has_own_name() {
    let names: std::collections::BTreeSet<_> =
        TimeoutKind::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), TimeoutKind::ALL.len());
    assert!(names.iter().flat_map(|name| name.chars()).all(|c| c == '_' || c.is_ascii_lowercase()));
}
