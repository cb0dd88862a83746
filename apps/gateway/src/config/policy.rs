//! The policy of a service: timeouts, retries and the circuit breaker.

use std::{num::NonZeroU32, time::Duration};

use serde::Deserialize;

use super::duration::deserialize_optional_duration;

/// The settings of all requests to a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Policy {
    /// The timeout of one attempt, until the response headers arrive.
    pub(crate) attempt: Duration,
    /// The timeout of all attempts and waits, until the response headers arrive.
    pub(crate) total: Duration,
    /// The timeout between two frames of a response body.
    pub(crate) idle: Duration,
    /// The maximum number of retries, not counting the first attempt. `None` means 2, or with more
    /// than three upstreams one fewer than upstreams.
    pub(crate) retries: Option<u32>,
    /// Whether to retry requests of any method, also if they may have been processed. The statuses
    /// 408, 409, 429 and 5xx are then retried too.
    pub(crate) any_method: bool,
    /// The maximum size of a request body that is kept for a retry, in bytes.
    pub(crate) body_limit: usize,
    /// The number of consecutive failures that opens a circuit.
    pub(crate) open_after: NonZeroU32,
}

/// The default is for LLM APIs, whose response headers can take minutes to arrive.
impl Default for Policy {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(300),
            total: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            retries: None,
            any_method: false,
            body_limit: 4 << 20,
            open_after: const { NonZeroU32::new(5).unwrap() },
        }
    }
}

impl Policy {
    /// Returns the maximum number of retries of a service with this number of upstreams.
    pub(crate) fn max_retries(&self, upstreams: usize) -> u32 {
        let one_per_further_upstream = u32::try_from(upstreams).unwrap_or(u32::MAX) - 1;
        self.retries.unwrap_or_else(|| one_per_further_upstream.max(2))
    }
}

/// The table `[policy]` or `[service.policy]`. An absent key has the value of the outer table, or
/// else the default.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicyTable {
    #[serde(deserialize_with = "deserialize_optional_duration")]
    attempt: Option<Duration>,
    #[serde(deserialize_with = "deserialize_optional_duration")]
    total: Option<Duration>,
    #[serde(deserialize_with = "deserialize_optional_duration")]
    idle: Option<Duration>,
    retries: Option<u32>,
    any_method: Option<bool>,
    body_limit: Option<usize>,
    open_after: Option<NonZeroU32>,
}

impl PolicyTable {
    /// Returns the policy with the keys of this table, and the other settings of `outer`.
    ///
    /// # Errors
    /// Returns the text of the error if the timeouts contradict each other.
    pub(crate) fn apply_to(self, outer: Policy) -> Result<Policy, &'static str> {
        let policy = Policy {
            attempt: self.attempt.unwrap_or(outer.attempt),
            total: self.total.unwrap_or(outer.total),
            idle: self.idle.unwrap_or(outer.idle),
            retries: self.retries.or(outer.retries),
            any_method: self.any_method.unwrap_or(outer.any_method),
            body_limit: self.body_limit.unwrap_or(outer.body_limit),
            open_after: self.open_after.unwrap_or(outer.open_after),
        };
        if policy.total < policy.attempt {
            return Err("expected attempt <= total");
        }
        Ok(policy)
    }
}
