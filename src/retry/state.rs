use std::time::Duration;

use http::Response;
use pin_project_lite::pin_project;
use seawall_core::Failure;
use tokio::time::{Instant, Sleep};

use super::{FailedAttempt, limits::RetryCounts};

/// The attempts before the current attempt.
#[derive(Default)]
pub(super) struct History {
    pub(super) counts: RetryCounts,
    /// The sum of the delays so far.
    pub(super) total_delay: Duration,
    /// `true` after the call has used its free retry, for a request that was never written.
    pub(super) used_free_retry: bool,
    /// `true` if the upstream may have processed one of the attempts.
    pub(super) may_be_processed: bool,
    pub(super) failed_attempts: Vec<FailedAttempt>,
    pub(super) last_response: Option<Box<Response<()>>>,
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F, D, B> {
        // An attempt is in flight.
        Attempt { #[pin] attempt: F },
        // The delay before a retry, in which the body of the failed response is drained.
        Delay {
            #[pin] discard: Option<D>,
            // `None` for a zero delay without a body to drain. For a zero delay, it is later than
            // `retry_at`, and bounds the time to drain the body.
            #[pin] sleep: Option<Sleep>,
            retry_at: Instant,
            next_body: Option<B>,
        },
        // The inner service is polled until it is ready, or until `deadline`.
        PollReady { next_body: Option<B>, #[pin] deadline: Option<Sleep> },
        // The deadline had passed before the call. The first poll returns the error.
        Expired,
        Done,
    }
}

/// The failure of an attempt. Both fields are `None` after a success.
pub(super) struct Classification {
    /// The failure that the classifier returned, for the report.
    pub(super) reported_failure: Option<Failure>,
    /// `reported_failure`, or the failure for a status below 400 that the user retries.
    pub(super) failure: Option<Failure>,
}
