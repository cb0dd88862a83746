//! A request body that several attempts read in turn, each from its beginning.
//!
//! Bookkeeping only: it is used under a lock, so nothing here polls, wakes or drops what belongs to somebody else. The
//! caller's body is lent out to be polled and put back; what is to be woken or dropped is handed out in [`DeferredDrops`].

use std::{collections::VecDeque, pin::Pin, task::Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

#[derive(Debug)]
pub(super) struct Shared<B> {
    /// `None` while it is lent out, and once it is used up.
    body: Option<Pin<Box<B>>>,
    state: State,
    /// What `body` said of the size of its rest when last seen.
    rest: SizeHint,
    /// What it said of its size before it was read.
    whole: SizeHint,
    /// What was read of it, from the beginning unless `beginning_gone`.
    frames: VecDeque<Kept>,
    /// How many of `frames` the newest attempt has read.
    read: usize,
    /// Bytes in all frames so far.
    size: usize,
    limit: usize,
    beginning_gone: bool,
    /// The attempt that reads. The bodies of earlier ones end with an error.
    reader: u32,
    /// Woken when there is something to read, or a later attempt takes over.
    waiting: Option<Waker>,
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
    /// Poll this, then hand it back by [`Shared::put_back`]. With it the waker that is out of date now.
    PollGuard(Pin<Box<B>>, Option<Waker>),
    /// Some earlier attempt polls it at this moment: see [`Shared::wait`].
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
pub(super) enum Progress {
    Pending(Waker),
    Frame(Kept),
    End,
    Failed,
}

/// What is to be woken and dropped once the lock is released.
#[must_use = "to be settled after the lock is released"]
pub(super) struct DeferredDrops<B> {
    wake: Option<Waker>,
    _body: Option<Pin<Box<B>>>,
    _frames: Option<VecDeque<Kept>>,
}

impl<B> DeferredDrops<B> {
    pub(super) fn run(self) {
        if let Some(waker) = self.wake {
            waker.wake();
        }
    }
}

impl<B> Shared<B> {
    pub(super) fn new(body: Pin<Box<B>>, rest: &Remaining, limit: usize) -> Self {
        Self {
            body: Some(body),
            state: State::Open,
            rest: rest.hint,
            whole: rest.hint,
            frames: VecDeque::new(),
            read: 0,
            size: 0,
            limit,
            beginning_gone: false,
            reader: 1,
            waiting: None,
        }
    }

    /// Lets a later attempt read from the beginning, and gives its number; `None` if that is gone or the body failed.
    pub(super) fn again(&mut self) -> Option<(u32, DeferredDrops<B>)> {
        if !self.is_repeatable() {
            return None;
        }
        self.reader += 1;
        self.read = 0;
        let leftovers = self.leftovers(None, None);
        Some((self.reader, leftovers))
    }

    /// Whether no later attempt has taken over.
    pub(super) fn is_newest(&self, reader: u32) -> bool {
        reader == self.reader
    }

    pub(super) fn is_repeatable(&self) -> bool {
        self.state != State::Failed && !self.beginning_gone
    }

    /// From now on nobody will start from the beginning.
    pub(super) fn forget_beginning(&mut self) -> DeferredDrops<B> {
        DeferredDrops { wake: None, _body: None, _frames: Some(self.drop_read()) }
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
                NextRead::PollGuard(body, self.waiting.take())
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
        if nothing { Ok(self.waiting.replace(waker)) } else { Err(waker) }
    }

    pub(super) fn put_back(
        &mut self,
        reader: u32,
        body: Pin<Box<B>>,
        rest: &Remaining,
        progress: Progress,
    ) -> DeferredDrops<B> {
        self.rest = rest.hint;
        match progress {
            Progress::Pending(waker) => {
                self.body = Some(body);
                if reader == self.reader {
                    self.waiting = Some(waker);
                    return DeferredDrops { wake: None, _body: None, _frames: None };
                }
                // The attempt that took over has to poll for itself, to be woken in its turn.
                self.leftovers(None, None)
            }
            Progress::Frame(kept) => {
                self.size = self.size.saturating_add(kept.len());
                self.frames.push_back(kept);
                let is_full = self.size > self.limit || self.frames.len() > MAX_FRAMES;
                let dropped = is_full.then(|| self.drop_read());
                if rest.ended {
                    self.state = State::Ended;
                    return self.leftovers(Some(body), dropped);
                }
                self.body = Some(body);
                self.leftovers(None, dropped)
            }
            Progress::End => {
                self.state = State::Ended;
                self.leftovers(Some(body), None)
            }
            Progress::Failed => {
                self.state = State::Failed;
                self.leftovers(Some(body), None)
            }
        }
    }

    /// The lent body will not come back: polling it panicked.
    pub(super) fn lost(&mut self) -> DeferredDrops<B> {
        self.state = State::Failed;
        self.leftovers(None, None)
    }

    /// The size of what the newest attempt has not read.
    pub(super) fn size_hint(&self) -> SizeHint {
        if self.read == 0 && !self.beginning_gone {
            // Every attempt is to begin with the same head, so it announces what the first one did.
            return self.whole;
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
        if let Some(upper) = self.rest.upper() {
            hint.set_upper(upper.saturating_add(unread as u64));
        }
        hint.set_lower(self.rest.lower().saturating_add(unread as u64));
        hint
    }

    pub(super) fn is_end_stream(&self, reader: u32) -> bool {
        reader == self.reader && self.state == State::Ended && self.read == self.frames.len()
    }

    fn next(&mut self) -> Option<Kept> {
        if self.beginning_gone {
            return self.frames.pop_front();
        }
        let kept = self.frames.get(self.read)?.clone();
        self.read += 1;
        Some(kept)
    }

    fn drop_read(&mut self) -> VecDeque<Kept> {
        self.beginning_gone = true;
        let unread = self.frames.split_off(self.read);
        self.read = 0;
        std::mem::replace(&mut self.frames, unread)
    }

    fn leftovers(
        &mut self,
        body: Option<Pin<Box<B>>>,
        frames: Option<VecDeque<Kept>>,
    ) -> DeferredDrops<B> {
        DeferredDrops { wake: self.waiting.take(), _body: body, _frames: frames }
    }
}
