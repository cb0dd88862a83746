use std::time::Duration;

use http_body::Body;
use tokio::time::Instant;

use crate::time_limit::{BodyLimits, LimitedBody, TimedBody};

/// Limits the bodies of responses.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ResponseBodies {}

/// Limits the bodies of requests.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RequestBodies {}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) idle: Duration,
    pub(super) total: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self { idle: Duration::from_secs(60), total: Duration::MAX };

    pub(super) fn apply<B: Body>(self, inner: B, body: LimitedBody) -> TimedBody<B> {
        let Self { idle, total } = self;
        // The clock is read only if needed.
        let until = if total == Duration::MAX || inner.is_end_stream() {
            None
        } else {
            Instant::now().checked_add(total)
        };
        TimedBody::new(inner, BodyLimits::new(idle, total, until, body))
    }
}
