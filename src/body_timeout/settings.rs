use std::time::Duration;

use http_body::Body;
use tokio::time::Instant;

use crate::time_limit::{BodyKind, BodyLimits, TimeoutBody};

/// Selects response bodies, as the type parameter of `BodyTimeoutLayer`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponseDirection {}

/// Selects request bodies, as the type parameter of `BodyTimeoutLayer`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestDirection {}

#[derive(Clone, Copy, Debug)]
pub(super) struct BodyTimeouts {
    pub(super) idle: Duration,
    pub(super) total: Duration,
}

impl BodyTimeouts {
    pub(super) const RESPONSES: Self = Self { idle: Duration::from_secs(60), total: Duration::MAX };

    /// Below 10 s, the attempt's timeout of `StandardLayer`, so that this limit passes first.
    pub(super) const REQUESTS: Self = Self { idle: Duration::from_secs(8), ..Self::RESPONSES };

    pub(super) fn wrap<B: Body>(self, inner: B, body_kind: BodyKind) -> TimeoutBody<B> {
        let Self { idle, total } = self;
        let deadline = if total == Duration::MAX || inner.is_end_stream() {
            None
        } else {
            Instant::now().checked_add(total)
        };
        TimeoutBody::new(inner, BodyLimits::new(idle, total, deadline, body_kind))
    }
}
