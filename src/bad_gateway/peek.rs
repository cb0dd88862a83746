use std::{
    collections::VecDeque,
    fmt,
    io::IoSlice,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Buf;
use http_body::{Body, Frame};
use tokio::time::{Sleep, sleep};

/// The maximum number of frames to read ahead, whatever their size.
const MAX_FRAMES: usize = 64;

/// The maximum number of inspected chunks per frame. The remaining chunks are not inspected.
const MAX_CHUNKS: usize = 16;

/// The delay of an error, in which a server can write the data that the inspection has read ahead.
///
/// When a body fails, hyper's server drops the head and the data that it has not written (hyper 1.12:
/// proto/h1/dispatch.rs). With HTTP/2, h2 resets the stream.
const ERROR_DELAY: Duration = Duration::from_millis(100);

type NextFrame<B> = Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>;

/// A body whose first frames are read ahead and inspected.
pub(super) struct Peek<B: Body> {
    body: Pin<Box<B>>,
    /// Frames that were read ahead, in order.
    buffered: VecDeque<Result<Frame<B::Data>, B::Error>>,
    ended: bool,
    /// An error that is not yet returned, and the timer of its delay.
    error: Option<(B::Error, Pin<Box<Sleep>>)>,
    /// `true` if `prefix` lacks bytes of the frames that were read.
    is_truncated: bool,
    /// A copy of the first bytes, at most `limit`.
    prefix: Vec<u8>,
    limit: usize,
}

impl<B: Body> Peek<B> {
    /// Inspects at most `limit` bytes of `body`.
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self {
            body: Box::pin(body),
            buffered: VecDeque::new(),
            ended: false,
            error: None,
            is_truncated: false,
            prefix: Vec::new(),
            limit,
        }
    }

    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Returns whether the complete body was inspected.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_truncated && (self.ended || self.body.is_end_stream())
    }

    /// Reads frames until the limit or the end of the body.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.prefix.len() < self.limit && self.buffered.len() < MAX_FRAMES {
            // Some bodies must not be polled after their end.
            if self.body.is_end_stream() {
                break;
            }
            let Some(frame) = ready!(self.body.as_mut().poll_frame(cx)) else {
                self.ended = true;
                break;
            };
            let data = frame.as_ref().ok().and_then(Frame::data_ref);
            let is_data = data.is_some();
            if data.is_some_and(|data| !copy_prefix(data, &mut self.prefix, self.limit)) {
                // The inspected bytes must have no gaps.
                self.limit = self.prefix.len();
                self.is_truncated = true;
            }
            self.buffered.push_back(frame);
            // Trailers and errors are the last frame.
            if !is_data {
                break;
            }
        }
        Poll::Ready(())
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame<B>> {
        loop {
            if let Some((error, mut timer)) = self.error.take() {
                if timer.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Some(Err(error)));
                }
                self.error = Some((error, timer));
                return Poll::Pending;
            }
            let frame = match self.buffered.pop_front() {
                Some(frame) => Some(frame),
                None if self.ended => None,
                None => ready!(self.body.as_mut().poll_frame(cx)),
            };
            let Some(Err(error)) = frame else { return Poll::Ready(frame) };
            self.error = Some((error, Box::pin(sleep(ERROR_DELAY))));
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.error.is_none()
            && self.buffered.is_empty()
            && (self.ended || self.body.is_end_stream())
    }

    pub(super) fn size_hint(&self) -> http_body::SizeHint {
        let data = self.buffered.iter().filter_map(|frame| frame.as_ref().ok()?.data_ref());
        let buffered_bytes =
            data.fold(0, |sum: u64, data| sum.saturating_add(data.remaining() as u64));
        let remaining =
            if self.ended { http_body::SizeHint::with_exact(0) } else { self.body.size_hint() };
        let mut hint = http_body::SizeHint::new();
        if let Some(upper) = remaining.upper() {
            hint.set_upper(upper.saturating_add(buffered_bytes));
        }
        hint.set_lower(remaining.lower().saturating_add(buffered_bytes));
        hint
    }
}

/// Appends as many bytes of `data` as fit, without consuming them. Returns whether all of them fit.
fn copy_prefix(data: &impl Buf, prefix: &mut Vec<u8>, limit: usize) -> bool {
    let mut chunks = [IoSlice::new(&[]); MAX_CHUNKS];
    let count = data.chunks_vectored(&mut chunks);
    let old_len = prefix.len();
    for chunk in &chunks[..count.min(MAX_CHUNKS)] {
        let room = limit - prefix.len();
        prefix.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    prefix.len() - old_len == data.remaining()
}

impl<B: Body> fmt::Debug for Peek<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek")
            .field("buffered", &self.buffered.len())
            .field("prefix", &self.prefix.len())
            .finish_non_exhaustive()
    }
}
