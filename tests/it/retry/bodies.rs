//! Bodies: the replay buffer of a request, and the drain of a failed response.

use std::{
    convert::Infallible,
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
use http_body_util::BodyExt;
use seawall::{
    BoxError,
    retry::{AttemptNumber, Backoff, ReplayBody, RetryLayer},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt, service_fn};

use super::{Body, get_with_body, immediate, put};
use crate::support::{Action, Script, ScriptedBody, Step as BodyStep, get, response};

#[tokio::test(start_paused = true)]
async fn retry_drops_failed_response_after_drain_timeout() {
    for (layer, drain_timeout) in [
        (RetryLayer::new(), 50),
        (RetryLayer::new().drain_timeout(Duration::from_secs(2)), 2_000),
        // The drain ends with the delay and does not extend it.
        (RetryLayer::new().drain_timeout(Duration::MAX), 5_000),
    ] {
        let held = Arc::new([0; 4]);
        let weak = Arc::downgrade(&held);
        let body = ScriptedBody::new([
            BodyStep::Pause,
            BodyStep::Stall,
            BodyStep::Data(Bytes::from_owner(CountedBytes(held))),
        ]);
        let script = Script::new([
            Action::Respond(response::<ScriptedBody>(502).map(|_| body)),
            Action::Respond(response(200)),
        ]);
        let layer = layer.backoff(Backoff::constant(Duration::from_secs(5)));
        let mut call = task::spawn(layer.layer(script.clone()).oneshot(get_with_body()));
        assert_pending!(call.poll());
        tokio::time::advance(Duration::from_millis(drain_timeout - 10)).await;
        assert_pending!(call.poll());
        assert_eq!(weak.strong_count(), 1, "{drain_timeout}");
        tokio::time::advance(Duration::from_millis(20)).await;
        let polled = call.poll();
        assert_eq!(
            weak.strong_count(),
            0,
            "{drain_timeout}: body still held after the drain timeout"
        );
        assert_eq!(polled.is_ready(), drain_timeout == 5_000);
        assert_eq!(script.count(), if drain_timeout == 5_000 { 2 } else { 1 });
    }
}

/// Bytes that report whether they are still held.
#[tokio::test(start_paused = true)]
async fn immediate_retry_waits_for_end_of_failed_body_up_to_drain_timeout() {
    for (steps, drain_timeout, waits_ms) in [
        (vec![BodyStep::Pause, BodyStep::Data(Bytes::from_static(b"bad gateway"))], 50, 0),
        (vec![BodyStep::Stall], 50, 50),
        (vec![BodyStep::Stall], 5, 5),
        (vec![BodyStep::Stall], 5_000, 50),
        (vec![BodyStep::Stall], 0, 0),
    ] {
        let is_read = drain_timeout == 50 && waits_ms == 0;
        let script = Script::new([
            Action::Respond(response::<ScriptedBody>(502).map(|_| ScriptedBody::new(steps))),
            Action::Respond(response(200)),
        ]);
        let layer = immediate().drain_timeout(Duration::from_millis(drain_timeout));
        let started = tokio::time::Instant::now();
        let mut call = task::spawn(layer.layer(script.clone()).oneshot(get_with_body()));
        // The end of the body comes after the head.
        let is_pending = call.poll().is_pending();
        assert_eq!(is_pending, is_read || waits_ms > 0, "{drain_timeout}");
        if is_pending {
            call.await.unwrap();
        }
        let waited = started.elapsed().as_millis();
        assert!((waits_ms..=waits_ms + 1).contains(&waited), "{drain_timeout}: {waited}");
        assert_eq!(script.count(), 2);
    }
}

struct CountedBytes(Arc<[u8; 4]>);

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &*self.0
    }
}

/// A body with a number of equal frames.
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
async fn retry_sends_body_of_too_many_frames_once() {
    for (frames, bytes, sent) in [(1_024, b"x".as_slice(), 2), (1_025, b"x", 1), (1_025, b"", 1)] {
        let script =
            Script::new([Action::Respond(response::<Body>(502)), Action::Respond(response(200))]);
        immediate().layer(script.clone()).oneshot(put(Frames(frames, bytes))).await.unwrap();
        assert_eq!(script.count(), sent, "{frames} of {bytes:?}");
        assert!(script.sent().iter().all(|sent| sent.data.len() == frames * bytes.len()));
    }
}

#[tokio::test(start_paused = true)]
async fn endless_empty_frames_do_not_delay_retry() {
    let inner = service_fn(async |request: Request<ReplayBody<Body>>| {
        let mut response = Response::new(Frames(usize::MAX, b""));
        if request.extensions().get::<AttemptNumber>().is_none() {
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
        }
        Ok::<_, BoxError>(response)
    });
    assert_eq!(immediate().layer(inner).oneshot(get()).await.unwrap().status(), 200);
}

/// An endless body of 1 KiB frames that counts the frames read.
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
async fn retry_drains_failed_response_up_to_16_kib() {
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
    immediate().layer(inner).oneshot(get()).await.unwrap();
    // 16 frames, and the frame that exceeds the limit.
    assert_eq!(read.load(Ordering::Relaxed), 17);
}

#[tokio::test(start_paused = true)]
async fn retry_releases_replay_buffer_when_call_ends() {
    struct Owner {
        _held: Arc<()>,
    }
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            b"data"
        }
    }
    let held = Arc::new(());
    let rest = Arc::new(Mutex::new(None));
    let inner = {
        let rest = Arc::clone(&rest);
        service_fn(move |request: Request<ReplayBody<ScriptedBody>>| {
            let mut body = Box::pin(request.into_body());
            let rest = Arc::clone(&rest);
            async move {
                body.frame().await.unwrap()?;
                // Another task may still send the body.
                *rest.lock().unwrap() = Some(body);
                Ok::<_, BoxError>(response::<Body>(200))
            }
        })
    };
    let data = Bytes::from_owner(Owner { _held: Arc::clone(&held) });
    let steps = ScriptedBody::new([BodyStep::Data(data), BodyStep::Stall]);
    immediate().layer(inner).oneshot(put(steps)).await.unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(rest.lock().unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn trailers_count_toward_replay_limit() {
    for (limit, sent) in [(11, 2), (10, 1)] {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("xy", "z".parse().unwrap());
        let body =
            ScriptedBody::new([BodyStep::Data("12345678".into()), BodyStep::Trailers(trailers)]);
        let script =
            Script::new([Action::Respond(response::<Body>(502)), Action::Respond(response(200))]);
        immediate().max_replay_bytes(limit).layer(script.clone()).oneshot(put(body)).await.unwrap();
        assert_eq!(script.count(), sent, "{limit}");
    }
}

/// A body whose size hint stays constant while it is read.
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
async fn each_attempt_has_size_hint_of_first() {
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
    immediate().max_retries(2).layer(inner).oneshot(put(hello)).await.unwrap();
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
async fn replay_body_forwards_wakeups_to_reader() {
    let woken = Arc::new(AtomicUsize::new(0));
    let inner = {
        let woken = Arc::clone(&woken);
        service_fn(move |request: Request<ReplayBody<ScriptedBody>>| {
            let count = Arc::new(Wakes::default());
            let waker = Waker::from(Arc::clone(&count));
            let mut body = Box::pin(request.into_body());
            let mut poll = || body.as_mut().poll_frame(&mut Context::from_waker(&waker));
            while !matches!(poll(), Poll::Ready(None)) {}
            woken.store(count.0.load(Ordering::SeqCst), Ordering::SeqCst);
            std::future::ready(Ok::<_, BoxError>(response::<Body>(200)))
        })
    };
    let steps = [(); 3].map(|()| [BodyStep::Pause, BodyStep::Data("x".into())]);
    immediate().layer(inner).oneshot(put(ScriptedBody::new(steps.concat()))).await.unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 3);
}

/// A body that is always pending. Its first poll blocks until `resume` receives.
struct BlockingBody {
    entered: mpsc::Sender<()>,
    resume: Option<mpsc::Receiver<()>>,
}

impl http_body::Body for BlockingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(resume) = self.resume.take() {
            self.entered.send(()).unwrap();
            resume.recv().unwrap();
        }
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn reader_superseded_during_poll_gets_error() {
    let (entered, wait_entered) = mpsc::channel();
    let (resume, wait_resume) = mpsc::channel();
    let wait_entered = Arc::new(Mutex::new(wait_entered));
    let first = Arc::new(Mutex::new(None));
    let inner = {
        let first = Arc::clone(&first);
        service_fn(move |request: Request<ReplayBody<BlockingBody>>| {
            let mut body = Box::pin(request.into_body());
            let mut first = first.lock().unwrap();
            if first.is_none() {
                // Polls on another thread, as a connection task does.
                *first = Some(std::thread::spawn(move || {
                    let polled = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
                    matches!(polled, Poll::Ready(Some(Err(_))))
                }));
                wait_entered.lock().unwrap().recv().unwrap();
            }
            std::future::ready(Ok::<_, BoxError>(response::<Body>(502)))
        })
    };
    let body = BlockingBody { entered, resume: Some(wait_resume) };
    immediate().max_retries(1).layer(inner).oneshot(put(body)).await.unwrap();
    resume.send(()).unwrap();
    assert!(first.lock().unwrap().take().unwrap().join().unwrap());
}
