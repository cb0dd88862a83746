//! One attempt: what stands inside of the breaker, as one service.
//!
//! It does what `InFlightLimit`, `Timeout`, `BodyTimeout`, `DeadlineHeader` and `BadGatewayClassifier` do one inside the
//! other, by their own parts, and the tests hold it to that. As five services each request, future and response would be
//! moved five times, which costs more than what they do.

mod future;
mod service;

pub(super) use self::future::ResponseFuture;
pub(super) use self::service::{Attempt, Settings};

use crate::{bad_gateway, in_flight, time_limit::TimedBody};

/// Response body of an attempt.
pub(super) type AttemptBody<B> = in_flight::ResponseBody<TimedBody<bad_gateway::ResponseBody<B>>>;
