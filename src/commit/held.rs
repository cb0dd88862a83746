//! The frames of a body that are held back.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

/// The first frames of a body, in order.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Not in the queue: most responses are judged by their first frame, without an allocation.
    first: Option<Bytes>,
    rest: VecDeque<Bytes>,
    /// The number of bytes.
    len: usize,
    end: End,
}

/// What follows the frames.
#[derive(Debug, Default)]
enum End {
    #[default]
    Open,
    Trailers(Box<HeaderMap>),
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

    /// Sets the end of the body, with its trailers.
    pub(super) fn end(&mut self, trailers: Option<HeaderMap>) {
        self.end = trailers.map_or(End::Ended, |trailers| End::Trailers(Box::new(trailers)));
    }

    /// Returns the number of bytes.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn frames(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Returns whether nothing is held, and the body has not ended.
    pub(super) const fn is_passed(&self) -> bool {
        self.first.is_none() && matches!(self.end, End::Open)
    }

    /// Returns whether the body has ended, and nothing of it is held.
    pub(super) fn is_end_stream(&self) -> bool {
        self.first.is_none() && matches!(self.end, End::Ended)
    }

    /// Returns the first frame.
    pub(super) const fn first(&self) -> Option<&Bytes> {
        self.first.as_ref()
    }

    /// Takes the next frame.
    #[inline]
    pub(super) fn pop(&mut self) -> Next {
        let Some(data) = self.first.take() else { return self.pop_end() };
        self.len -= data.len();
        self.first = self.rest.pop_front();
        if self.first.is_none() {
            // Releases the memory of the queue.
            self.rest = VecDeque::new();
        }
        Next::Frame(Frame::data(data))
    }

    fn pop_end(&mut self) -> Next {
        if matches!(self.end, End::Open) {
            return Next::Rest;
        }
        match std::mem::replace(&mut self.end, End::Ended) {
            End::Trailers(trailers) => Next::Frame(Frame::trailers(*trailers)),
            End::Open | End::Ended => Next::End,
        }
    }

    /// Adds the held bytes to the size hint of the rest of the body.
    pub(super) fn size_hint(&self, rest: SizeHint) -> SizeHint {
        let held = self.len as u64;
        match self.end {
            End::Open if held == 0 => rest,
            End::Open => {
                let mut hint = SizeHint::new();
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(held));
                }
                hint.set_lower(rest.lower().saturating_add(held));
                hint
            }
            _ => SizeHint::with_exact(held),
        }
    }
}
