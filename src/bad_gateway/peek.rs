use std::{
    collections::VecDeque,
    fmt,
    io::IoSlice,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame};

/// The maximum number of frames that are read ahead, however small.
const MAX_FRAMES: usize = 64;

/// The maximum number of chunks of a frame that are inspected. The rest passes uninspected.
const MAX_CHUNKS: usize = 16;

type Next<B> = Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>;

/// A body whose first frames are read ahead.
pub(super) struct Peek<B: Body> {
    body: Pin<Box<B>>,
    /// The frames that were read ahead, in order.
    held: VecDeque<Result<Frame<B::Data>, B::Error>>,
    ended: bool,
    /// Some bytes were not inspected.
    cut: bool,
    /// A copy of the first bytes, at most `limit`.
    seen: Vec<u8>,
    limit: usize,
}

impl<B: Body> Peek<B> {
    /// Inspects at most `limit` bytes of `body`.
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self {
            body: Box::pin(body),
            held: VecDeque::new(),
            ended: false,
            cut: false,
            seen: Vec::new(),
            limit,
        }
    }

    pub(super) fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// Returns whether the whole body was inspected.
    pub(super) fn is_whole(&self) -> bool {
        !self.cut && (self.ended || self.body.is_end_stream())
    }

    /// Reads until the limit, or the end of the body.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.seen.len() < self.limit && self.held.len() < MAX_FRAMES {
            // Some bodies must not be polled after their end.
            if self.body.is_end_stream() {
                break;
            }
            let Some(frame) = ready!(self.body.as_mut().poll_frame(cx)) else {
                self.ended = true;
                break;
            };
            let data = frame.as_ref().ok().and_then(Frame::data_ref);
            let more = data.is_some();
            if data.is_some_and(|data| !copy(data, &mut self.seen, self.limit)) {
                // The inspected bytes must have no gaps.
                self.limit = self.seen.len();
                self.cut = true;
            }
            self.held.push_back(frame);
            // Trailers and errors are the last frame.
            if !more {
                break;
            }
        }
        Poll::Ready(())
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Next<B>> {
        match self.held.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None if self.ended => Poll::Ready(None),
            None => self.body.as_mut().poll_frame(cx),
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.held.is_empty() && (self.ended || self.body.is_end_stream())
    }

    pub(super) fn size_hint(&self) -> http_body::SizeHint {
        let data = self.held.iter().filter_map(|frame| frame.as_ref().ok()?.data_ref());
        let held = data.fold(0, |held: u64, data| held.saturating_add(data.remaining() as u64));
        let rest =
            if self.ended { http_body::SizeHint::with_exact(0) } else { self.body.size_hint() };
        let mut hint = http_body::SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint.set_lower(rest.lower().saturating_add(held));
        hint
    }
}

/// Copies the bytes that fit, and leaves the frame unchanged. Returns whether all of them fit.
fn copy(data: &impl Buf, seen: &mut Vec<u8>, limit: usize) -> bool {
    let mut pieces = [IoSlice::new(&[]); MAX_CHUNKS];
    let count = data.chunks_vectored(&mut pieces);
    let before = seen.len();
    for piece in &pieces[..count.min(MAX_CHUNKS)] {
        let room = limit - seen.len();
        seen.extend_from_slice(&piece[..piece.len().min(room)]);
    }
    seen.len() - before == data.remaining()
}

impl<B: Body> fmt::Debug for Peek<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek")
            .field("held", &self.held.len())
            .field("seen", &self.seen.len())
            .finish_non_exhaustive()
    }
}
