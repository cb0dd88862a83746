//! Decodes server-sent events.

use std::{fmt, num::NonZeroUsize};

use bytes::Buf;
use sse_core::{MessageEvent, PayloadTooLargeError, SseDecoder, SseEvent};

/// A decoder of server-sent events that accepts bytes in chunks of any size.
pub(super) struct EventDecoder(SseDecoder);

/// Data, name or ID of an event exceed the limit.
#[derive(Debug)]
pub(super) struct EventTooLarge;

impl EventDecoder {
    /// Creates a decoder of events with at most `max_bytes` bytes of data.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self(SseDecoder::with_limit(NonZeroUsize::new(max_bytes).unwrap_or(NonZeroUsize::MIN)))
    }

    /// Returns the next event of `bytes`, or `None` if they contain no end of an event. Advances
    /// `bytes` to the end of the event.
    pub(super) fn next(
        &mut self,
        bytes: &mut &[u8],
    ) -> Result<Option<MessageEvent>, EventTooLarge> {
        while bytes.has_remaining() {
            match self.0.next(bytes) {
                Some(Ok(SseEvent::Message(event))) => return Ok(Some(event)),
                Some(Ok(SseEvent::Retry(_))) => {}
                Some(Err(PayloadTooLargeError)) => return Err(EventTooLarge),
                None => break,
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for EventDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDecoder").finish_non_exhaustive()
    }
}
