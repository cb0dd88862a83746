use super::section;
use crate::config::values::{ConfigTimeoutHeader, DurationValue, List, OrOff};

section! {
    /// Timeouts for each part of a call.
    Timeouts {
        /// Timeout of one attempt, to the response's head. At most `total`.
        attempt: OrOff<DurationValue<1>>,
        /// Timeout of all attempts and the delays between them, to the response's head.
        total: OrOff<DurationValue<1>>,
        /// Maximum wait for each frame of a response's body.
        body_idle: OrOff<DurationValue<1>>,
        /// Request headers that carry the timeout of a trusted caller. Applied if it is less than
        /// `total`.
        trust: List<ConfigTimeoutHeader>,
    }
}
