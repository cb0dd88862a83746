use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use seawall_core::BoxError;

use super::replay_buffer::{
    BufferedFrame, NextRead, PollOutcome, ReplayBuffer, ReplayError, UnreadPart,
};
use crate::{
    sync::{Mutex, MutexGuard, lock},
    time_limit::{BodyWait, WaitRecorder},
};

/// The request body of an attempt. It buffers the caller's body while it is sent, and replays it in
/// later attempts.
///
/// - An empty body is not buffered and costs nothing.
/// - A body whose size hint exceeds [`max_replay_bytes`](super::RetryLayer::max_replay_bytes) is
///   not buffered. It can be sent again only if nothing of it was read.
/// - Any other body is buffered frame by frame as it is read, including trailers. Buffering ends
///   with the call, or when the body exceeds the limit or 1,024 frames. The rest of the body then
///   passes through unbuffered. Data is shared as `Bytes`, not copied. The buffer holds at most the
///   limit plus one frame.
///
/// An upstream can respond before the body is sent completely. If a retry starts then, the body of
/// the earlier attempt fails.
///
/// The error type is [`BoxError`]. Only the attempt that polled the caller's body gets its error.
pub struct ReplayBody<B> {
    kind: Kind<B>,
}

/// The body of one attempt.
enum Kind<B> {
    Empty,
    Buffered { buffer: Arc<Mutex<ReplayBuffer<B>>>, reader: u32, recorder: Option<WaitRecorder> },
}

/// The source of the bodies of retries.
#[derive(Debug)]
pub enum ReplaySource<B> {
    Empty,
    Buffered {
        handle: BufferHandle<B>,
        /// The waits of the current attempt, if they are recorded.
        wait: Option<BodyWait>,
    },
}

/// A handle that keeps the beginning of the body in the buffer until it is dropped.
#[derive(Debug)]
pub struct BufferHandle<B>(Arc<Mutex<ReplayBuffer<B>>>);

impl<B: Body> ReplayBody<B> {
    #[inline]
    pub(super) fn new(
        body: B,
        max_bytes: usize,
        records_waits: impl FnOnce() -> bool,
    ) -> (Self, ReplaySource<B>) {
        if body.is_end_stream() {
            return (Self { kind: Kind::Empty }, ReplaySource::Empty);
        }
        let size_hint = body.size_hint();
        // The first frame of a body that cannot fit is not kept.
        let max_bytes = if size_hint.lower() > max_bytes as u64 { 0 } else { max_bytes };
        // Boxed: attempts share the body, which need not be `Unpin`.
        let buffer = ReplayBuffer::new(Box::pin(body), size_hint, max_bytes);
        let buffer = Arc::new(Mutex::new(buffer));
        let recorder = records_waits().then(WaitRecorder::new);
        let source = ReplaySource::Buffered {
            handle: BufferHandle(Arc::clone(&buffer)),
            wait: recorder.as_ref().map(|recorder| recorder.wait().clone()),
        };
        (Self { kind: Kind::Buffered { buffer, reader: 1, recorder } }, source)
    }
}

impl<B> ReplayBody<B> {
    /// Returns the waits for the body, if they are recorded.
    #[inline]
    pub(super) fn wait(&self) -> Option<&BodyWait> {
        match &self.kind {
            Kind::Empty => None,
            Kind::Buffered { recorder, .. } => recorder.as_ref().map(WaitRecorder::wait),
        }
    }
}

impl<B> ReplaySource<B> {
    pub(super) fn is_replayable(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Buffered { handle, .. } => lock(&handle.0).is_replayable(),
        }
    }

    /// Returns whether the current attempt waits for the caller's body.
    pub(super) fn is_body_pending(&self) -> bool {
        matches!(self, Self::Buffered { wait: Some(wait), .. } if wait.is_waiting())
    }

    /// Returns the body of a retry, or `None` if the body cannot be replayed.
    pub(super) fn start_replay(&mut self) -> Option<ReplayBody<B>> {
        let kind = match self {
            Self::Empty => Kind::Empty,
            Self::Buffered { handle: BufferHandle(buffer), wait } => {
                let (reader, effects) = lock(buffer).start_replay()?;
                effects.run();
                let recorder = wait.is_some().then(WaitRecorder::new);
                *wait = recorder.as_ref().map(|recorder| recorder.wait().clone());
                Kind::Buffered { buffer: Arc::clone(buffer), reader, recorder }
            }
        };
        Some(ReplayBody { kind })
    }
}

impl<B> Drop for BufferHandle<B> {
    fn drop(&mut self) {
        let effects = lock(&self.0).stop_buffering();
        effects.run();
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Buffered { buffer, reader, recorder } => {
                let polled = poll_buffered(buffer, *reader, cx);
                if let Some(recorder) = recorder {
                    recorder.record(polled.is_pending());
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Buffered { buffer, reader, .. } => lock(buffer).is_end_stream(*reader),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Buffered { buffer, .. } => lock(buffer).size_hint(),
        }
    }
}

fn poll_buffered<B>(
    buffer: &Mutex<ReplayBuffer<B>>,
    reader: u32,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    loop {
        let next_read = lock(buffer).next_read(reader);
        // Cloning or dropping a waker runs code of the executor, so it happens outside the lock.
        let mut body = match next_read {
            NextRead::Frame(frame) => return Poll::Ready(Some(Ok(frame))),
            NextRead::End => return Poll::Ready(None),
            NextRead::Fail(error) => return Poll::Ready(Some(Err(error.into()))),
            NextRead::Poll(body, outdated) => {
                drop(outdated);
                body
            }
            NextRead::Busy => {
                let waker = cx.waker().clone();
                let registered = lock(buffer).register_waker(reader, waker);
                if registered.is_ok() {
                    return Poll::Pending;
                }
                continue;
            }
        };
        let guard = PollGuard(Some(buffer));
        let polled = body.as_mut().poll_frame(cx);
        let unread_part = UnreadPart::from_body(&*body);
        let (outcome, result) = match polled {
            Poll::Pending => (PollOutcome::Pending(cx.waker().clone()), Some(Poll::Pending)),
            Poll::Ready(None) => (PollOutcome::End, None),
            Poll::Ready(Some(Ok(frame))) => (PollOutcome::Frame(to_buffered_frame(frame)), None),
            Poll::Ready(Some(Err(error))) => {
                (PollOutcome::Failed, Some(Poll::Ready(Some(Err(error.into())))))
            }
        };
        let (effects, is_current) = {
            let mut buffer = guard.disarm();
            (buffer.put_back(reader, body, &unread_part, outcome), buffer.is_current(reader))
        };
        effects.run();
        match result {
            // Superseded during the poll: nothing would wake this reader, so it fails now.
            Some(Poll::Pending) if !is_current => {}
            Some(result) => return result,
            None => {}
        }
    }
}

/// A guard that marks the buffer as failed if polling the caller's body panics. Otherwise another
/// reader could wait forever.
struct PollGuard<'a, B>(Option<&'a Mutex<ReplayBuffer<B>>>);

impl<'a, B> PollGuard<'a, B> {
    fn disarm(mut self) -> MutexGuard<'a, ReplayBuffer<B>> {
        lock(self.0.take().expect("disarmed once"))
    }
}

impl<B> Drop for PollGuard<'_, B> {
    fn drop(&mut self) {
        if let Some(buffer) = self.0 {
            let effects = lock(buffer).on_panic();
            effects.run();
        }
    }
}

fn to_bytes<D: Buf>(mut data: D) -> Bytes {
    data.copy_to_bytes(data.remaining())
}

fn to_buffered_frame<D: Buf>(frame: Frame<D>) -> BufferedFrame {
    match frame.map_data(to_bytes).into_data() {
        Ok(data) => BufferedFrame::Data(data),
        // `http_body` has only frames of data and of trailers. A new kind would be lost here.
        Err(frame) => BufferedFrame::Trailers(frame.into_trailers().unwrap_or_default()),
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Superseded => "request body superseded by a later attempt",
            Self::Failed => "request body failed in an earlier attempt",
        })
    }
}

impl Error for ReplayError {}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Empty => "Empty",
            Kind::Buffered { .. } => "Buffered",
        };
        f.debug_tuple("ReplayBody").field(&format_args!("{kind}")).finish()
    }
}
