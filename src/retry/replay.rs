use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use seawall_core::BoxError;

use super::replay_buffer::{Kept, NextRead, PollOutcome, Remaining, ReplayBuffer, ReplayError};

/// The body of each attempt: the caller's body, kept while it is sent so that a later attempt sends the same bytes.
///
/// - An empty body is not kept and costs nothing.
/// - A body that announces more than [`max_replay_bytes`](super::RetryLayer::max_replay_bytes) bytes is not kept: it is sent
///   once, as it is.
/// - Any other is kept frame by frame as it is read, trailers too, until the call ends, or the limit or 1,024 frames are
///   passed. Then it is no longer kept, and the rest is handed on as it comes. Data is shared as `Bytes`, not copied. At
///   most the limit and one frame are held.
///
/// When a later attempt begins while an earlier one that was answered early is still sending, the earlier body ends
/// with an error.
///
/// The error type is [`BoxError`]; the caller's own error is handed on once, to the attempt that met it.
pub struct ReplayBody<B> {
    kind: Kind<B>,
}

/// Small, because it is moved with the request: a long body is boxed even though it is not kept.
enum Kind<B> {
    Empty,
    Once(Pin<Box<B>>),
    Kept { shared: Arc<Mutex<ReplayBuffer<B>>>, reader: u32 },
}

/// What makes the body of the next attempt.
#[derive(Debug)]
pub enum ReplaySource<B> {
    Empty,
    /// It was not kept.
    Never,
    Kept(BufferHandle<B>),
}

/// The beginning of the body is kept as long as this.
#[derive(Debug)]
pub struct BufferHandle<B>(Arc<Mutex<ReplayBuffer<B>>>);

/// User code never runs under this lock, so a panic leaves nothing half done in it.
fn lock<B>(shared: &Mutex<ReplayBuffer<B>>) -> MutexGuard<'_, ReplayBuffer<B>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<B: Body> ReplayBody<B> {
    #[inline]
    pub(super) fn new(body: B, limit: usize) -> (Self, ReplaySource<B>) {
        let (kind, replay) = if body.is_end_stream() {
            (Kind::Empty, ReplaySource::Empty)
        } else if body.size_hint().lower() > limit as u64 {
            (Kind::Once(Box::pin(body)), ReplaySource::Never)
        } else {
            let remaining_size_hint = Remaining::of(&body);
            // Boxed: it moves between attempts, and need not be `Unpin`.
            let shared = Arc::new(Mutex::new(ReplayBuffer::new(
                Box::pin(body),
                &remaining_size_hint,
                limit,
            )));
            let beginning = BufferHandle(Arc::clone(&shared));
            (Kind::Kept { shared, reader: 1 }, ReplaySource::Kept(beginning))
        };
        (Self { kind }, replay)
    }
}

impl<B> ReplaySource<B> {
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Never => false,
            Self::Kept(BufferHandle(shared)) => lock(shared).is_repeatable(),
        }
    }

    /// The body of a later attempt; `None` if it cannot be sent again.
    pub(super) fn again(&self) -> Option<ReplayBody<B>> {
        let kind = match self {
            Self::Empty => Kind::Empty,
            Self::Never => return None,
            Self::Kept(BufferHandle(shared)) => {
                let (reader, deferred) = lock(shared).again()?;
                deferred.run();
                Kind::Kept { shared: Arc::clone(shared), reader }
            }
        };
        Some(ReplayBody { kind })
    }
}

impl<B> Drop for BufferHandle<B> {
    fn drop(&mut self) {
        let deferred = lock(&self.0).stop_buffering();
        deferred.run();
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
            Kind::Once(body) => body.as_mut().poll_frame(cx).map(|frame| {
                Some(frame?.map(|frame| frame.map_data(to_bytes)).map_err(Into::into))
            }),
            Kind::Kept { shared, reader } => poll_kept(shared, *reader, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Once(body) => body.is_end_stream(),
            Kind::Kept { shared, reader } => lock(shared).is_end_stream(*reader),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Once(body) => body.size_hint(),
            Kind::Kept { shared, .. } => lock(shared).size_hint(),
        }
    }
}

fn poll_kept<B>(
    shared: &Mutex<ReplayBuffer<B>>,
    reader: u32,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    loop {
        let next_read = lock(shared).next_read(reader);
        // To clone a waker, and to drop one, is somebody else's code, so it is done outside the lock.
        let mut body = match next_read {
            NextRead::Frame(frame) => return Poll::Ready(Some(Ok(frame))),
            NextRead::End => return Poll::Ready(None),
            NextRead::Fail(why) => return Poll::Ready(Some(Err(why.into()))),
            NextRead::Poll(body, outdated) => {
                drop(outdated);
                body
            }
            NextRead::Busy => {
                let waker = cx.waker().clone();
                let waits = lock(shared).wait(reader, waker);
                if waits.is_ok() {
                    return Poll::Pending;
                }
                continue;
            }
        };
        let lent = PollGuard(Some(shared));
        let polled = body.as_mut().poll_frame(cx);
        let remaining_size_hint = Remaining::of(&*body);
        let (progress, out) = match polled {
            Poll::Pending => (PollOutcome::Pending(cx.waker().clone()), Some(Poll::Pending)),
            Poll::Ready(None) => (PollOutcome::End, None),
            Poll::Ready(Some(Ok(frame))) => (PollOutcome::Frame(keep(frame)), None),
            Poll::Ready(Some(Err(error))) => {
                (PollOutcome::Failed, Some(Poll::Ready(Some(Err(error.into())))))
            }
        };
        let (deferred, is_newest) = {
            let mut shared = lent.back();
            (
                shared.put_back(reader, body, &remaining_size_hint, progress),
                shared.is_newest(reader),
            )
        };
        deferred.run();
        match out {
            // Superseded meanwhile: nobody would wake this one again, so it ends now.
            Some(Poll::Pending) if !is_newest => {}
            Some(out) => return out,
            None => {}
        }
    }
}

/// Tells the others when the caller's body panics, so that nobody waits for it.
struct PollGuard<'a, B>(Option<&'a Mutex<ReplayBuffer<B>>>);

impl<'a, B> PollGuard<'a, B> {
    fn back(mut self) -> MutexGuard<'a, ReplayBuffer<B>> {
        lock(self.0.take().expect("lent once"))
    }
}

impl<B> Drop for PollGuard<'_, B> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            let deferred = lock(shared).on_panic();
            deferred.run();
        }
    }
}

fn to_bytes<D: Buf>(mut data: D) -> Bytes {
    data.copy_to_bytes(data.remaining())
}

fn keep<D: Buf>(frame: Frame<D>) -> Kept {
    match frame.map_data(to_bytes).into_data() {
        Ok(data) => Kept::Data(data),
        // A frame is data or trailers; `http_body` leaves itself room for more, which would be lost here.
        Err(frame) => Kept::Trailers(frame.into_trailers().unwrap_or_default()),
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Superseded => "a later attempt sends this request body",
            Self::Failed => "the request body failed in an earlier attempt",
        })
    }
}

impl Error for ReplayError {}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Empty => "Empty",
            Kind::Once(_) => "Once",
            Kind::Kept { .. } => "Kept",
        };
        f.debug_tuple("ReplayBody").field(&format_args!("{kind}")).finish()
    }
}
