//! What stands between callers and the upstream.
//!
//! All stacks but one are told the same: an attempt may take a second, a call three, as far as they have such a setting.

mod failsafe;
mod plain;
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

/// How long an attempt may take: an upstream that is well answers within 150 ms.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(1);
/// How long a call may take; an answer that comes later is of no use.
pub(crate) const TOTAL: Duration = Duration::from_secs(3);

/// Of the stack that has a limit: twice what the upstream works on at once, so that it never has to wait for the next request.
pub(crate) const LIMIT: u32 = 2 * WORKERS as u32;

pub(crate) type Body = Full<Bytes>;

/// Sends a request, and reads the response to its end.
pub(crate) type Client = BoxCloneService<Request<Body>, StatusCode, BoxError>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    pub(crate) name: &'static str,
    /// In pictures.
    pub(crate) label: &'static str,
    pub(crate) what: &'static str,
    pub(crate) of: Of,
    make: fn(Upstream) -> Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Peer,
    LimitedPeer,
    Ours,
    /// Ours, with a limit.
    Limited,
    /// Ours, less one part or otherwise set.
    Part,
}

impl Stack {
    /// Whether it is in the picture of ours and those of others. Limits have a say where the upstream is slow.
    pub(crate) fn is_among_peers(&self, slow: bool) -> bool {
        match self.of {
            Of::Peer | Of::Ours => true,
            Of::Limited | Of::LimitedPeer => slow,
            Of::Part => false,
        }
    }

    pub(crate) fn is_ours(&self) -> bool {
        !matches!(self.of, Of::Peer | Of::LimitedPeer)
    }

    pub(crate) fn client(&self, upstream: Upstream) -> Client {
        (self.make)(upstream)
    }
}

const fn stack(
    of: Of,
    [name, label, what]: [&'static str; 3],
    make: fn(Upstream) -> Client,
) -> Stack {
    Stack { name, label, what, of, make }
}

pub(crate) static ALL: [Stack; 17] = [
    stack(Of::Peer, ["none", "no protection", "the bare client"], plain::none),
    stack(
        Of::Peer,
        ["naive", "naive retry", "3 retries as the urllib3 recipe has them: no jitter, no budget"],
        plain::naive,
    ),
    stack(
        Of::Peer,
        ["tower", "tower", "tower: Retry with TpsBudget and ExponentialBackoff, Timeout"],
        tower::stack,
    ),
    stack(
        Of::Peer,
        ["resilience", "tower-resilience", "tower-resilience: Retry, CircuitBreaker, TimeLimiter"],
        resilience::retry_and_breaker,
    ),
    stack(
        Of::LimitedPeer,
        ["resilience-limit", "… with its limit", "that, with its Gradient2 limit"],
        resilience::with_limit,
    ),
    stack(Of::Peer, ["failsafe", "failsafe", "failsafe, with tower's Timeout"], failsafe::stack),
    stack(Of::Ours, ["seawall", "seawall", "StandardLayer"], seawall::whole),
    stack(
        Of::Limited,
        ["seawall-limit", "… limit of 128", "StandardLayer with an in-flight limit of 128"],
        seawall::limit,
    ),
    stack(
        Of::Limited,
        ["seawall-adaptive", "… adaptive limit", "StandardLayer with an adaptive in-flight limit"],
        seawall::adaptive,
    ),
    part("no-retry", "StandardLayer without retries", seawall::no_retry),
    part("no-budget", "StandardLayer without a budget of retries", seawall::no_budget),
    part("no-breaker", "StandardLayer without a circuit breaker", seawall::no_breaker),
    part("no-timeout", "StandardLayer without any limit of time", seawall::no_timeout),
    part("no-deadline", "StandardLayer without a limit for a call", seawall::no_deadline),
    part("three-retries", "StandardLayer with 3 retries in place of 4", seawall::three_retries),
    part(
        "untouched",
        "StandardLayer told nothing: 10 s an attempt, 30 s a call",
        seawall::untouched,
    ),
    part(
        "throttle",
        "StandardLayer with adaptive throttling in place of its breaker",
        seawall::throttle,
    ),
];

const fn part(name: &'static str, what: &'static str, make: fn(Upstream) -> Client) -> Stack {
    stack(Of::Part, [name, name, what], make)
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
    let read = async |response: Response<B>| {
        let status = response.status();
        response.into_body().collect().await.map_err(Into::into)?;
        Ok(status)
    };
    BoxCloneService::new(service.map_err(Into::into).and_then(move |response| {
        let read = read(response);
        Box::pin(read) as std::pin::Pin<Box<dyn Future<Output = Result<_, BoxError>> + Send>>
    }))
}

/// What all of them retry who have to be told: the statuses that `RetryLayer` retries.
fn is_retried(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}
