//! The buffer from which each attempt reads the request body, starting at the first frame.
//!
//! The buffer is used under a lock, so it never runs user code: it does not poll, wake or drop
//! anything of the caller. The reader takes the caller's body out, polls it and puts it back.
//! Wakers and values to drop are returned in [`DeferredEffects`].

use std::{collections::VecDeque, pin::Pin, task::Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

#[derive(Debug)]
pub(super) struct ReplayBuffer<B> {
    /// The caller's body. `None` while a reader polls it, and after its end.
    body: Option<Pin<Box<B>>>,
    state: State,
    /// The size hint of `body` after the last poll.
    remaining_size_hint: SizeHint,
    /// The size hint of `body` before the first poll.
    initial_size_hint: SizeHint,
    /// The buffered frames. They start at the beginning of the body unless `is_truncated`.
    frames: VecDeque<BufferedFrame>,
    /// The index in `frames` of the next frame for the current reader.
    next_index: usize,
    /// `true` once the current reader got the end of the body.
    has_ended: bool,
    /// The number of bytes in all frames read so far.
    size: usize,
    max_bytes: usize,
    /// `true` once read frames were dropped, so that the body cannot be replayed.
    is_truncated: bool,
    /// The number of the attempt that reads. The bodies of earlier attempts fail.
    reader: u32,
    /// Woken when a frame may be available, or when a later attempt starts to read.
    waker: Option<Waker>,
}

/// The maximum number of buffered frames. A small frame takes more memory than its bytes.
const MAX_FRAMES: usize = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    /// The caller's body failed, or panicked.
    Failed,
}

/// A buffered frame. A clone shares the data.
#[derive(Clone, Debug)]
pub(super) enum BufferedFrame {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl BufferedFrame {
    fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::Trailers(trailers) => {
                trailers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
            }
        }
    }

    fn into_frame(self) -> Frame<Bytes> {
        match self {
            Self::Data(data) => Frame::data(data),
            Self::Trailers(trailers) => Frame::trailers(trailers),
        }
    }
}

/// The next step of a reader.
pub(super) enum NextRead<B> {
    Frame(Frame<Bytes>),
    End,
    Fail(ReplayError),
    /// The reader polls the caller's body and returns it to [`ReplayBuffer::put_back`]. The waker
    /// is outdated: drop it outside the lock.
    Poll(Pin<Box<B>>, Option<Waker>),
    /// An earlier attempt is polling the caller's body: see [`ReplayBuffer::register_waker`].
    Busy,
}

/// The reason why the body of an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplayError {
    /// A later attempt started to read the body.
    Superseded,
    /// The caller's body failed while an earlier attempt read it.
    Failed,
}

/// The unread part of the caller's body, as the body reports it.
pub(super) struct UnreadPart {
    size_hint: SizeHint,
    is_end_stream: bool,
}

impl UnreadPart {
    pub(super) fn from_body<B: Body>(body: &B) -> Self {
        Self { size_hint: body.size_hint(), is_end_stream: body.is_end_stream() }
    }
}

/// The result of polling the caller's body, without its error.
pub(super) enum PollOutcome {
    Pending(Waker),
    Frame(BufferedFrame),
    End,
    Failed,
}

/// A waker to wake and values to drop after the lock is released.
#[must_use = "call `run` after the lock is released"]
pub(super) struct DeferredEffects<B> {
    waker: Option<Waker>,
    _body: Option<Pin<Box<B>>>,
    _frames: Option<VecDeque<BufferedFrame>>,
}

impl<B> DeferredEffects<B> {
    pub(super) fn run(self) {
        if let Some(waker) = self.waker {
            waker.wake();
        }
    }
}

impl<B> ReplayBuffer<B> {
    pub(super) fn new(body: Pin<Box<B>>, size_hint: SizeHint, max_bytes: usize) -> Self {
        Self {
            body: Some(body),
            state: State::Open,
            remaining_size_hint: size_hint,
            initial_size_hint: size_hint,
            frames: VecDeque::new(),
            next_index: 0,
            has_ended: false,
            size: 0,
            max_bytes,
            is_truncated: false,
            reader: 1,
            waker: None,
        }
    }

    /// Starts a new reader at the beginning and returns its number. Returns `None` if the body
    /// cannot be replayed.
    pub(super) fn start_replay(&mut self) -> Option<(u32, DeferredEffects<B>)> {
        if !self.is_replayable() {
            return None;
        }
        self.reader += 1;
        self.next_index = 0;
        self.has_ended = false;
        let effects = self.take_effects(None, None);
        Some((self.reader, effects))
    }

    /// Returns whether no later attempt has started to read.
    pub(super) fn is_current(&self, reader: u32) -> bool {
        reader == self.reader
    }

    pub(super) fn is_replayable(&self) -> bool {
        self.state != State::Failed && !self.is_truncated
    }

    /// Drops the frames that were read, because there will be no other attempt.
    pub(super) fn stop_buffering(&mut self) -> DeferredEffects<B> {
        DeferredEffects { waker: None, _body: None, _frames: Some(self.discard_read_frames()) }
    }

    pub(super) fn next_read(&mut self, reader: u32) -> NextRead<B> {
        if reader != self.reader {
            return NextRead::Fail(ReplayError::Superseded);
        }
        if let Some(frame) = self.next_buffered_frame() {
            return NextRead::Frame(frame.into_frame());
        }
        match self.state {
            State::Ended => {
                self.has_ended = true;
                NextRead::End
            }
            State::Failed => NextRead::Fail(ReplayError::Failed),
            State::Open => {
                let Some(body) = self.body.take() else { return NextRead::Busy };
                NextRead::Poll(body, self.waker.take())
            }
        }
    }

    /// Stores `waker` until a frame may be available, and returns the waker that it replaces.
    /// Returns `waker` as the error if the reader can continue now.
    pub(super) fn register_waker(
        &mut self,
        reader: u32,
        waker: Waker,
    ) -> Result<Option<Waker>, Waker> {
        let must_wait = reader == self.reader
            && self.body.is_none()
            && self.state == State::Open
            && self.next_index == self.frames.len();
        if must_wait { Ok(self.waker.replace(waker)) } else { Err(waker) }
    }

    /// Takes back the caller's body after a poll, and buffers the frame.
    pub(super) fn put_back(
        &mut self,
        reader: u32,
        body: Pin<Box<B>>,
        unread_part: &UnreadPart,
        outcome: PollOutcome,
    ) -> DeferredEffects<B> {
        self.remaining_size_hint = unread_part.size_hint;
        match outcome {
            PollOutcome::Pending(waker) => {
                self.body = Some(body);
                if reader == self.reader {
                    self.waker = Some(waker);
                    return DeferredEffects { waker: None, _body: None, _frames: None };
                }
                // A later attempt reads now. It must poll the body itself to register its waker.
                self.take_effects(None, None)
            }
            PollOutcome::Frame(frame) => {
                self.size = self.size.saturating_add(frame.len());
                self.frames.push_back(frame);
                let is_full = self.size > self.max_bytes || self.frames.len() > MAX_FRAMES;
                let discarded_frames = is_full.then(|| self.discard_read_frames());
                if unread_part.is_end_stream {
                    self.state = State::Ended;
                    return self.take_effects(Some(body), discarded_frames);
                }
                self.body = Some(body);
                self.take_effects(None, discarded_frames)
            }
            PollOutcome::End => {
                self.state = State::Ended;
                self.take_effects(Some(body), None)
            }
            PollOutcome::Failed => {
                self.state = State::Failed;
                self.take_effects(Some(body), None)
            }
        }
    }

    /// Marks the body as failed because polling it panicked. The body does not come back.
    pub(super) fn on_panic(&mut self) -> DeferredEffects<B> {
        self.state = State::Failed;
        self.take_effects(None, None)
    }

    /// Returns the size hint for the current reader.
    pub(super) fn size_hint(&self) -> SizeHint {
        if self.next_index == 0 && !self.is_truncated {
            // All attempts send the same `content-length` as the first.
            return self.initial_size_hint;
        }
        let buffered: usize = self
            .frames
            .iter()
            .skip(self.next_index)
            .map(|frame| match frame {
                BufferedFrame::Data(data) => data.len(),
                BufferedFrame::Trailers(_) => 0,
            })
            .sum();
        let mut hint = SizeHint::new();
        if let Some(upper) = self.remaining_size_hint.upper() {
            hint.set_upper(upper.saturating_add(buffered as u64));
        }
        hint.set_lower(self.remaining_size_hint.lower().saturating_add(buffered as u64));
        hint
    }

    /// Returns whether the reader may stop. Before its first read, the answer of every attempt is
    /// that of the first, whose body was not known to be empty: clients choose the framing by it.
    pub(super) fn is_end_stream(&self, reader: u32) -> bool {
        let has_read = self.next_index > 0 || self.is_truncated || self.has_ended;
        has_read
            && reader == self.reader
            && self.state == State::Ended
            && self.next_index == self.frames.len()
    }

    fn next_buffered_frame(&mut self) -> Option<BufferedFrame> {
        if self.is_truncated {
            return self.frames.pop_front();
        }
        let frame = self.frames.get(self.next_index)?.clone();
        self.next_index += 1;
        Some(frame)
    }

    fn discard_read_frames(&mut self) -> VecDeque<BufferedFrame> {
        self.is_truncated = true;
        let unread = self.frames.split_off(self.next_index);
        self.next_index = 0;
        std::mem::replace(&mut self.frames, unread)
    }

    /// Takes the registered waker, to be woken together with the drop of `body` and `frames`.
    fn take_effects(
        &mut self,
        body: Option<Pin<Box<B>>>,
        frames: Option<VecDeque<BufferedFrame>>,
    ) -> DeferredEffects<B> {
        DeferredEffects { waker: self.waker.take(), _body: body, _frames: frames }
    }
}
