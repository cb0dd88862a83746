use std::time::Duration;

use http::Method;

/// The properties of a request that decide whether it may be sent again.
#[derive(Debug)]
pub struct RequestFacts<'a> {
    /// `None`: the request is not HTTP.
    pub(super) method: Option<&'a Method>,
    pub(super) idempotency_key: bool,
    /// The time until its deadline, if it has one. Set by the retry, not by the protocol.
    pub(super) time_left: Option<Duration>,
    /// The part of that time which the next hop needs. Set by the retry, not by the protocol.
    pub(super) margin: Duration,
}
