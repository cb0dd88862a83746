//! One attempt: what stands inside of the retry, as one service.
//!
//! It does what `CircuitBreaker`, `InFlightLimit`, `Timeout`, `BodyTimeout`, `DeadlineHeader` and `BadGatewayClassifier` do one
//! inside the other, by their own parts, and the tests hold it to that. As six services each request, future and response would be
//! moved six times, which costs more than what they do.

mod answer;
mod future;
mod service;

pub(super) use self::future::ResponseFuture;
pub(super) use self::service::{Attempt, Pass, Settings};

use crate::{bad_gateway, in_flight, logging, time_limit::TimedBody};

/// Response body of an attempt, with room for what stands outside of it: a log, and the deadline of all attempts. They are told
/// to the body where it is, since to make it another moves the whole response.
pub(super) type AttemptBody<B> =
    logging::ResponseBody<in_flight::ResponseBody<TimedBody<bad_gateway::ResponseBody<B>>>>;
