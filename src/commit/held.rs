//! The frames of a body that are held back.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

/// The first frames of a body, in order.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Not in the queue: most JSON is judged by its first frame, without an allocation.
    pub(super) first: Option<Bytes>,
    pub(super) rest: VecDeque<Bytes>,
    pub(super) end: End,
    /// The number of bytes.
    len: usize,
}

/// What follows the frames.
#[derive(Debug, Default)]
pub(super) enum End {
    #[default]
    Open,
    Trailers(HeaderMap),
    Ended,
}

/// The next part of a body.
pub(super) enum Next {
    Frame(Frame<Bytes>),
    /// Nothing is held: the frames of the body follow.
    Rest,
    End,
}

impl Held {
    pub(super) fn push(&mut self, data: Bytes) {
        self.len = self.len.saturating_add(data.len());
        match self.first {
            None => self.first = Some(data),
            Some(_) => self.rest.push_back(data),
        }
    }

    /// Returns the number of bytes.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn frames(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}

/// The held frames after the first.
#[derive(Debug)]
pub(super) struct Replay {
    rest: VecDeque<Bytes>,
    end: End,
}

impl Replay {
    pub(super) const fn new(rest: VecDeque<Bytes>, end: End) -> Self {
        Self { rest, end }
    }

    /// Returns whether it has no frame, and the frames of the body follow.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty() && matches!(self.end, End::Open)
    }

    /// Takes the next frame.
    pub(super) fn pop(&mut self) -> Next {
        if let Some(data) = self.rest.pop_front() {
            if self.rest.is_empty() {
                self.rest = VecDeque::new();
            }
            return Next::Frame(Frame::data(data));
        }
        if matches!(self.end, End::Open) {
            return Next::Rest;
        }
        match std::mem::replace(&mut self.end, End::Ended) {
            End::Trailers(trailers) => Next::Frame(Frame::trailers(trailers)),
            End::Open | End::Ended => Next::End,
        }
    }

    /// Returns whether the body has ended, and nothing of it is held.
    pub(super) fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && matches!(self.end, End::Ended)
    }

    /// Adds the held bytes to the size hint of the rest of the body.
    pub(super) fn size_hint(&self, body: SizeHint) -> SizeHint {
        let held = self.rest.iter().map(Bytes::len).sum();
        let body = if matches!(self.end, End::Open) { body } else { SizeHint::with_exact(0) };
        add(body, held)
    }
}

/// Adds the length of held data to a size hint.
pub(super) fn add(hint: SizeHint, len: usize) -> SizeHint {
    let len = len as u64;
    let mut sum = SizeHint::new();
    if let Some(upper) = hint.upper() {
        sum.set_upper(upper.saturating_add(len));
    }
    sum.set_lower(hint.lower().saturating_add(len));
    sum
}
