use super::section;
use crate::config::values::{DurationValue, List, OrOff, TimeoutHeaderName};

section! {
    /// How long each part of a call may take.
    Timeouts {
        /// One attempt, to the head of its response. Not above `total`.
        attempt: OrOff<DurationValue<1>>,
        /// All attempts and the waits between them, to the head of the response.
        total: OrOff<DurationValue<1>>,
        /// The wait for each part of a response's body.
        body_idle: OrOff<DurationValue<1>>,
        /// Headers of requests that say how long the caller waits: kept to if it is less than `total`.
        trust: List<TimeoutHeaderName>,
    }
}
