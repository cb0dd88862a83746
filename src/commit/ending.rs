//! The end of a committed event stream that breaks off.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use seawall_core::{BoxError, classify::classify_body_error};
use tokio::time::{Sleep, sleep};

/// The delay of an error, in which a server can write the data before it.
///
/// When a body fails, hyper's server drops the data that it has not written (hyper 1.12:
/// proto/h1/dispatch.rs). With HTTP/2, h2 resets the stream.
const ERROR_DELAY: Duration = Duration::from_millis(100);

type NextFrame = Option<Result<Frame<Bytes>, BoxError>>;

/// Follows a committed event stream, and ends it with an error event if it breaks off.
#[derive(Debug)]
pub(super) struct Ending {
    /// The event for a stream that breaks off after a complete event.
    event: Option<Bytes>,
    tail: Tail,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    Failed { error: BoxError, timer: Option<Pin<Box<Sleep>>> },
    Ended,
}

impl Ending {
    pub(super) fn new(event: Option<Bytes>) -> Self {
        Self { event, tail: Tail::default(), state: State::Open }
    }

    /// Takes notice of a frame that the caller gets.
    #[inline]
    pub(super) fn observe(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.tail.push(data);
        }
    }

    /// Returns whether the body has failed and must not be polled.
    pub(super) const fn has_failed(&self) -> bool {
        !matches!(self.state, State::Open)
    }

    /// Begins the end of a stream that broke off with `error`.
    #[cold]
    pub(super) fn fail(&mut self, error: BoxError, cx: &mut Context<'_>) -> Poll<NextFrame> {
        crate::metrics::record_broken_stream(classify_body_error(&*error).cause());
        self.state = State::Failed { error, timer: None };
        match self.event.take() {
            Some(event) if self.tail.is_event_end() => Poll::Ready(Some(Ok(Frame::data(event)))),
            _ => self.poll_error(cx),
        }
    }

    /// Returns the error after its delay.
    pub(super) fn poll_error(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        if let State::Failed { timer, .. } = &mut self.state {
            let timer = timer.get_or_insert_with(|| Box::pin(sleep(ERROR_DELAY)));
            ready!(timer.as_mut().poll(cx));
        }
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Failed { error, .. } => Poll::Ready(Some(Err(error))),
            State::Open | State::Ended => Poll::Ready(None),
        }
    }
}

/// The last bytes of a stream: enough to recognize a blank line.
#[derive(Debug, Default)]
struct Tail {
    bytes: [u8; 3],
    len: usize,
}

impl Tail {
    #[inline]
    fn push(&mut self, data: &[u8]) {
        if let Some(last) = data.last_chunk() {
            self.bytes = *last;
            self.len = self.bytes.len();
            return;
        }
        for &byte in data {
            self.bytes = [self.bytes[1], self.bytes[2], byte];
            self.len = self.bytes.len().min(self.len + 1);
        }
    }

    /// Returns whether the stream is empty or ends with a blank line.
    fn is_event_end(&self) -> bool {
        let bytes = &self.bytes[self.bytes.len() - self.len..];
        let line = bytes.strip_suffix(b"\r\n").or(bytes.strip_suffix(b"\n"));
        let line = line.or(bytes.strip_suffix(b"\r"));
        match line {
            Some(line) => matches!(line.last(), Some(b'\n' | b'\r')),
            None => bytes.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_recognizes_blank_line_in_any_chunks() {
        for (stream, expected) in [
            ("", true),
            ("data: a\n\n", true),
            ("data: a\r\r", true),
            ("data: a\r\n\r\n", true),
            ("data: a\n\r\n", true),
            ("data: a\n", false),
            ("data: a\r\n", false),
            ("data: a\r", false),
            ("data: a", false),
            ("\r\n", false),
        ] {
            for chunk_len in 1..=4 {
                let mut tail = Tail::default();
                stream.as_bytes().chunks(chunk_len).for_each(|chunk| tail.push(chunk));
                assert_eq!(tail.is_event_end(), expected, "{stream:?} by {chunk_len}");
            }
        }
    }
}
