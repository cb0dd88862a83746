use std::time::Duration;

use http::Response;
use pin_project_lite::pin_project;
use seawall_core::Failure;
use tokio::time::{Instant, Sleep};

use super::{FailedAttempt, limits::RetryCounts};

/// The attempts before the one in flight.
#[derive(Default)]
pub(super) struct History {
    pub(super) spent: RetryCounts,
    pub(super) waited: Duration,
    /// A request that was never written has been sent again free of charge.
    pub(super) resent: bool,
    /// One of the attempts may have been.
    pub(super) may_be_processed: bool,
    pub(super) past: Vec<FailedAttempt>,
    pub(super) last_response: Option<Box<Response<()>>>,
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F, D, A> {
        // An attempt is in flight.
        Attempt { #[pin] attempt: F },
        // The failed response is read to its end, if that is quick, while the time passes.
        Wait {
            #[pin] discard: Option<D>,
            // `None`: no wait, only a look at whether the response is there already.
            #[pin] sleep: Option<Sleep>,
            until: Instant,
            again: Option<A>,
        },
        // The inner service is polled ready for another attempt, until that could not end in time.
        Ready { again: Option<A>, #[pin] deadline: Option<Sleep> },
        // The deadline had passed before the call.
        Late,
        Done,
    }
}

/// The end of one attempt.
pub(super) struct Verdict {
    /// The classifier's word.
    pub(super) classified: Option<Failure>,
    /// The same, or a status that the user lists.
    pub(super) failure: Option<Failure>,
}
