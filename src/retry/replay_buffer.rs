//! A request body that several attempts read in turn, each from its beginning.
//!
//! Bookkeeping only: it is used under a lock, so nothing here polls, wakes or drops what belongs to somebody else. The
//! caller's body is lent out to be polled and put back; what is to be woken or dropped is handed out in [`DeferredEffects`].

use std::{collections::VecDeque, pin::Pin, task::Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

#[derive(Debug)]
pub(super) struct ReplayBuffer<B> {
    /// `None` while it is lent out, and once it is used up.
    body: Option<Pin<Box<B>>>,
    state: State,
    /// What `body` said of the size of its rest when last seen.
    remaining_size_hint: SizeHint,
    /// What it said of its size before it was read.
    initial_size_hint: SizeHint,
    /// What was read of it, from the beginning unless `is_truncated`.
    frames: VecDeque<Kept>,
    /// How many of `frames` the newest attempt has read.
    read: usize,
    /// Bytes in all frames so far.
    size: usize,
    limit: usize,
    is_truncated: bool,
    /// The attempt that reads. The bodies of earlier ones end with an error.
    reader: u32,
    /// Woken when there is something to read, or a later attempt takes over.
    waker: Option<Waker>,
}

/// How many frames are kept at the most: small ones weigh more than the bytes in them.
const MAX_FRAMES: usize = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    /// The caller's body failed, or panicked.
    Failed,
}

/// What is kept of a frame: `Bytes` share, so a copy of data costs a count.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl Kept {
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

/// What the body of an attempt is to do next.
pub(super) enum NextRead<B> {
    Frame(Frame<Bytes>),
    End,
    Fail(ReplayError),
    /// Poll this, then hand it back by [`ReplayBuffer::put_back`]. With it the waker that is out of date now.
    Poll(Pin<Box<B>>, Option<Waker>),
    /// Some earlier attempt polls it at this moment: see [`ReplayBuffer::wait`].
    Busy,
}

/// Why the body of an attempt ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplayError {
    /// A later attempt sends it.
    Superseded,
    /// The caller's body failed while an earlier attempt read it.
    Failed,
}

/// What the caller's body says of the rest of itself.
pub(super) struct Remaining {
    hint: SizeHint,
    ended: bool,
}

impl Remaining {
    pub(super) fn of<B: Body>(body: &B) -> Self {
        Self { hint: body.size_hint(), ended: body.is_end_stream() }
    }
}

/// What polling the caller's body gave, but for the error itself.
pub(super) enum PollOutcome {
    Pending(Waker),
    Frame(Kept),
    End,
    Failed,
}

/// What is to be woken and dropped once the lock is released.
#[must_use = "to be settled after the lock is released"]
pub(super) struct DeferredEffects<B> {
    wake: Option<Waker>,
    _body: Option<Pin<Box<B>>>,
    _frames: Option<VecDeque<Kept>>,
}

impl<B> DeferredEffects<B> {
    pub(super) fn run(self) {
        if let Some(waker) = self.wake {
            waker.wake();
        }
    }
}

impl<B> ReplayBuffer<B> {
    pub(super) fn new(body: Pin<Box<B>>, remaining_size_hint: &Remaining, limit: usize) -> Self {
        Self {
            body: Some(body),
            state: State::Open,
            remaining_size_hint: remaining_size_hint.hint,
            initial_size_hint: remaining_size_hint.hint,
            frames: VecDeque::new(),
            read: 0,
            size: 0,
            limit,
            is_truncated: false,
            reader: 1,
            waker: None,
        }
    }

    /// Lets a later attempt read from the beginning, and gives its number; `None` if that is gone or the body failed.
    pub(super) fn again(&mut self) -> Option<(u32, DeferredEffects<B>)> {
        if !self.is_repeatable() {
            return None;
        }
        self.reader += 1;
        self.read = 0;
        let deferred = self.deferred(None, None);
        Some((self.reader, deferred))
    }

    /// Whether no later attempt has taken over.
    pub(super) fn is_newest(&self, reader: u32) -> bool {
        reader == self.reader
    }

    pub(super) fn is_repeatable(&self) -> bool {
        self.state != State::Failed && !self.is_truncated
    }

    /// From now on nobody will start from the beginning.
    pub(super) fn stop_buffering(&mut self) -> DeferredEffects<B> {
        DeferredEffects { wake: None, _body: None, _frames: Some(self.discard_read_frames()) }
    }

    pub(super) fn next_read(&mut self, reader: u32) -> NextRead<B> {
        if reader != self.reader {
            return NextRead::Fail(ReplayError::Superseded);
        }
        if let Some(kept) = self.next() {
            return NextRead::Frame(kept.into_frame());
        }
        match self.state {
            State::Ended => NextRead::End,
            State::Failed => NextRead::Fail(ReplayError::Failed),
            State::Open => {
                let Some(body) = self.body.take() else { return NextRead::Busy };
                NextRead::Poll(body, self.waker.take())
            }
        }
    }

    /// Keeps `waker` for when there is something to do, and gives back the one that it replaces. `Err`: there is something
    /// to do already.
    pub(super) fn wait(&mut self, reader: u32, waker: Waker) -> Result<Option<Waker>, Waker> {
        let nothing = reader == self.reader
            && self.body.is_none()
            && self.state == State::Open
            && self.read == self.frames.len();
        if nothing { Ok(self.waker.replace(waker)) } else { Err(waker) }
    }

    pub(super) fn put_back(
        &mut self,
        reader: u32,
        body: Pin<Box<B>>,
        remaining_size_hint: &Remaining,
        progress: PollOutcome,
    ) -> DeferredEffects<B> {
        self.remaining_size_hint = remaining_size_hint.hint;
        match progress {
            PollOutcome::Pending(waker) => {
                self.body = Some(body);
                if reader == self.reader {
                    self.waker = Some(waker);
                    return DeferredEffects { wake: None, _body: None, _frames: None };
                }
                // The attempt that took over has to poll for itself, to be woken in its turn.
                self.deferred(None, None)
            }
            PollOutcome::Frame(kept) => {
                self.size = self.size.saturating_add(kept.len());
                self.frames.push_back(kept);
                let is_full = self.size > self.limit || self.frames.len() > MAX_FRAMES;
                let dropped = is_full.then(|| self.discard_read_frames());
                if remaining_size_hint.ended {
                    self.state = State::Ended;
                    return self.deferred(Some(body), dropped);
                }
                self.body = Some(body);
                self.deferred(None, dropped)
            }
            PollOutcome::End => {
                self.state = State::Ended;
                self.deferred(Some(body), None)
            }
            PollOutcome::Failed => {
                self.state = State::Failed;
                self.deferred(Some(body), None)
            }
        }
    }

    /// The lent body will not come back: polling it panicked.
    pub(super) fn on_panic(&mut self) -> DeferredEffects<B> {
        self.state = State::Failed;
        self.deferred(None, None)
    }

    /// The size of what the newest attempt has not read.
    pub(super) fn size_hint(&self) -> SizeHint {
        if self.read == 0 && !self.is_truncated {
            // Every attempt is to begin with the same head, so it announces what the first one did.
            return self.initial_size_hint;
        }
        let unread: usize = self
            .frames
            .iter()
            .skip(self.read)
            .map(|kept| match kept {
                Kept::Data(data) => data.len(),
                Kept::Trailers(_) => 0,
            })
            .sum();
        let mut hint = SizeHint::new();
        if let Some(upper) = self.remaining_size_hint.upper() {
            hint.set_upper(upper.saturating_add(unread as u64));
        }
        hint.set_lower(self.remaining_size_hint.lower().saturating_add(unread as u64));
        hint
    }

    pub(super) fn is_end_stream(&self, reader: u32) -> bool {
        reader == self.reader && self.state == State::Ended && self.read == self.frames.len()
    }

    fn next(&mut self) -> Option<Kept> {
        if self.is_truncated {
            return self.frames.pop_front();
        }
        let kept = self.frames.get(self.read)?.clone();
        self.read += 1;
        Some(kept)
    }

    fn discard_read_frames(&mut self) -> VecDeque<Kept> {
        self.is_truncated = true;
        let unread = self.frames.split_off(self.read);
        self.read = 0;
        std::mem::replace(&mut self.frames, unread)
    }

    fn deferred(
        &mut self,
        body: Option<Pin<Box<B>>>,
        frames: Option<VecDeque<Kept>>,
    ) -> DeferredEffects<B> {
        DeferredEffects { wake: self.waker.take(), _body: body, _frames: frames }
    }
}
