use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use seawall_core::Failure;

/// Judges whether a response is an answer, while [`CommitLayer`](super::CommitLayer) holds it back.
///
/// [`Dialect`](super::Dialect) is the judge of LLM APIs, [`FirstByte`](super::FirstByte) one for any
/// body. A judge has no state of its own: one judge serves all responses, and each of its decisions
/// follows from its argument. It runs on the task that drives the call and must not block.
///
/// ```
/// use http::HeaderMap;
/// use seawall::{Cause, Failure, commit::{CommitLayer, Event, Judge, Reading, Verdict}};
///
/// /// The judge of a service whose streams begin with `event: ready` or `event: failed`.
/// #[derive(Clone)]
/// struct Jobs;
///
/// impl Judge for Jobs {
///     fn reading(&self, headers: &HeaderMap) -> Option<Reading> {
///         Reading::by_content_type(headers).filter(|it| *it == Reading::Events)
///     }
///
///     fn judge_event(&self, event: &Event<'_>) -> Verdict {
///         match event.name() {
///             "queued" => Verdict::Hold,
///             "failed" => Verdict::Fail(Failure::new(Cause::Overloaded)),
///             _ => Verdict::Commit,
///         }
///     }
/// }
///
/// let layer = CommitLayer::new(Jobs);
/// # let _ = layer;
/// ```
pub trait Judge {
    /// Returns how the body of a response with these headers and the status 200 is read. `None`
    /// commits the response at once, at the cost of this call.
    fn reading(&self, headers: &HeaderMap) -> Option<Reading>;

    /// Judges an event of [`Reading::Events`]. Comments and `retry` fields are no events.
    fn judge_event(&self, _event: &Event<'_>) -> Verdict {
        Verdict::Commit
    }

    /// Judges the end of [`Reading::Events`] while all events are held. [`Verdict::Hold`] commits.
    fn judge_end(&self) -> Verdict {
        Verdict::Commit
    }

    /// Judges the beginning of a body of [`Reading::Bytes`]: all bytes so far. `is_complete` means
    /// that the body has ended. [`Verdict::Hold`] then commits.
    fn judge_bytes(&self, _bytes: &[u8], _is_complete: bool) -> Verdict {
        Verdict::Commit
    }

    /// Returns an event by which clients recognize a failure after the commit. It is sent if an
    /// event stream breaks off after a complete event, before the transfer is aborted.
    ///
    /// `None` only aborts the transfer. The event includes the blank line at its end.
    fn error_event(&self) -> Option<Bytes> {
        None
    }
}

/// How the body of a response is read until it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// As server-sent events, by the grammar of WHATWG HTML §9.2. A compressed body is committed at
    /// once.
    Events,
    /// As bytes, as they come. The bytes of a compressed body are compressed.
    Bytes,
    /// Until the first frame with data, which commits.
    FirstByte,
    /// Until the first frame, without waiting for it. If it has trailers with `grpc-status`, they
    /// become part of the head, where [`GrpcClassifier`](crate::classify::GrpcClassifier) reads the
    /// status.
    Trailers,
}

/// The decision of a [`Judge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The response is held until more of it has arrived.
    Hold,
    /// The response is an answer: the caller gets it unchanged.
    Commit,
    /// The response is a failure: the call fails with
    /// [`FailedBeforeCommit`](super::FailedBeforeCommit).
    Fail(Failure),
}

/// A server-sent event.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    pub(super) name: &'a str,
    pub(super) data: &'a str,
}

impl<'a> Event<'a> {
    /// Returns the value of the field `event`, or `message` without one.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the lines of the fields `data`, joined by a line feed. Invalid UTF-8 is replaced.
    #[must_use]
    pub const fn data(&self) -> &'a str {
        self.data
    }
}

impl<J: Judge + ?Sized> Judge for Arc<J> {
    fn reading(&self, headers: &HeaderMap) -> Option<Reading> {
        (**self).reading(headers)
    }

    fn judge_event(&self, event: &Event<'_>) -> Verdict {
        (**self).judge_event(event)
    }

    fn judge_end(&self) -> Verdict {
        (**self).judge_end()
    }

    fn judge_bytes(&self, bytes: &[u8], is_complete: bool) -> Verdict {
        (**self).judge_bytes(bytes, is_complete)
    }

    fn error_event(&self) -> Option<Bytes> {
        (**self).error_event()
    }
}
