use std::time::Duration;

use http::Method;

/// The properties of a request that decide whether and when it may be sent again.
#[derive(Debug)]
pub struct RequestFacts<'a> {
    /// `None` if the request is not HTTP.
    pub(super) method: Option<&'a Method>,
    pub(super) has_idempotency_key: bool,
    /// The time until the deadline, if there is one. Set by `ResponseFuture`, not by the adapter.
    pub(super) time_left: Option<Duration>,
    /// The part of `time_left` that is reserved for the next hop. Set by `ResponseFuture`, not by
    /// the adapter.
    pub(super) deadline_margin: Duration,
    /// Whether few recent calls needed a retry. Set by `ResponseFuture`, not by the adapter.
    pub(super) is_failure_isolated: bool,
}
