//! The stacks between callers and the upstream.
//!
//! All stacks that have these settings, except one, have a timeout of 1 s per attempt and of 3 s
//! per call.

mod baseline;
mod failsafe;
mod resilience;
mod seawall;
mod throttle;
mod tower;

use std::time::Duration;

use ::seawall::BoxError;
use ::tower::{Service, ServiceExt, util::BoxCloneService};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, Full};

use crate::upstream::{Upstream, WORKERS};

/// The timeout of an attempt. A healthy upstream responds within 150 ms.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// The timeout of a call. A later response counts as a failure.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The limit of requests in flight: twice the number of workers, so that no worker is idle.
pub(crate) const IN_FLIGHT_LIMIT: u32 = 2 * WORKERS as u32;

pub(crate) type Body = Full<Bytes>;

/// Sends a request and reads the whole response.
pub(crate) type Client = BoxCloneService<Request<Body>, StatusCode, BoxError>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    pub(crate) name: &'static str,
    /// The name in plots.
    pub(crate) label: &'static str,
    pub(crate) description: &'static str,
    group: Group,
    build: fn(Upstream) -> Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// Another library.
    Peer,
    /// Another library with a limit of requests in flight.
    LimitedPeer,
    Seawall,
    LimitedSeawall,
    /// seawall with one part removed or one setting changed.
    Variant,
}

impl Stack {
    /// Returns whether the comparison with other libraries includes the stack. It includes limited
    /// stacks only if the upstream is slow.
    pub(crate) fn is_compared_with_peers(&self, delays_responses: bool) -> bool {
        match self.group {
            Group::Peer | Group::Seawall => true,
            Group::LimitedSeawall | Group::LimitedPeer => delays_responses,
            Group::Variant => false,
        }
    }

    pub(crate) fn is_seawall(&self) -> bool {
        !matches!(self.group, Group::Peer | Group::LimitedPeer)
    }

    pub(crate) fn client(&self, upstream: Upstream) -> Client {
        (self.build)(upstream)
    }
}

const fn stack(
    group: Group,
    [name, label, description]: [&'static str; 3],
    build: fn(Upstream) -> Client,
) -> Stack {
    Stack { name, label, description, group, build }
}

pub(crate) static ALL: [Stack; 17] = [
    stack(Group::Peer, ["none", "no protection", "the bare client"], baseline::none),
    stack(
        Group::Peer,
        ["naive", "naive retry", "3 retries without jitter or budget, as in the urllib3 recipe"],
        baseline::naive,
    ),
    stack(
        Group::Peer,
        ["tower", "tower", "tower: Retry with TpsBudget and ExponentialBackoff, Timeout"],
        tower::stack,
    ),
    stack(
        Group::Peer,
        ["resilience", "tower-resilience", "tower-resilience: Retry, CircuitBreaker, TimeLimiter"],
        resilience::retry_and_breaker,
    ),
    stack(
        Group::LimitedPeer,
        ["resilience-limit", "… with its limit", "resilience, with its Gradient2 limit"],
        resilience::with_limit,
    ),
    stack(Group::Peer, ["failsafe", "failsafe", "failsafe, with tower's Timeout"], failsafe::stack),
    stack(Group::Seawall, ["seawall", "seawall", "StandardLayer"], seawall::standard),
    stack(
        Group::LimitedSeawall,
        ["seawall-limit", "… limit of 128", "StandardLayer with an in-flight limit of 128"],
        seawall::limit,
    ),
    stack(
        Group::LimitedSeawall,
        ["seawall-adaptive", "… adaptive limit", "StandardLayer with an adaptive in-flight limit"],
        seawall::adaptive,
    ),
    variant("no-retry", "StandardLayer without retries", seawall::no_retry),
    variant("no-budget", "StandardLayer without a retry budget", seawall::no_budget),
    variant("no-breaker", "StandardLayer without a circuit breaker", seawall::no_breaker),
    variant("no-timeout", "StandardLayer without timeouts", seawall::no_timeout),
    variant("no-deadline", "StandardLayer without a call timeout", seawall::no_deadline),
    variant("three-retries", "StandardLayer with 3 retries instead of 4", seawall::three_retries),
    variant(
        "untouched",
        "StandardLayer with its default timeouts: 10 s per attempt, 30 s per call",
        seawall::defaults,
    ),
    variant(
        "throttle",
        "StandardLayer with adaptive throttling instead of a circuit breaker",
        seawall::throttle,
    ),
];

const fn variant(
    name: &'static str,
    description: &'static str,
    build: fn(Upstream) -> Client,
) -> Stack {
    stack(Group::Variant, [name, name, description], build)
}

fn boxed<S, B>(service: S) -> Client
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let read_body = async |response: Response<B>| {
        let status = response.status();
        response.into_body().collect().await.map_err(Into::into)?;
        Ok(status)
    };
    BoxCloneService::new(service.map_err(Into::into).and_then(move |response| {
        let status = read_body(response);
        Box::pin(status) as std::pin::Pin<Box<dyn Future<Output = Result<_, BoxError>> + Send>>
    }))
}

/// Returns whether `RetryLayer` retries the status. Stacks without a default use the same rule.
fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}
