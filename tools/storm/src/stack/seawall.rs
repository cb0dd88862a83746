//! Ours: `StandardLayer` as it comes, told the two times that all are told, and the same less or more one part.

use std::{num::NonZeroU32, time::Duration};

use seawall::{
    CircuitBreakerLayer, InFlightLimitLayer, RetryLayer, StandardLayer, in_flight::Adaptive,
    retry::Budget, standard::Timeouts,
};
use tower::Layer;

use super::{ATTEMPT, Client, LIMIT, TOTAL, boxed, throttle::Throttle};
use crate::upstream::Upstream;

fn told() -> StandardLayer {
    StandardLayer::new("upstream").timeouts(timeouts(ATTEMPT, TOTAL))
}

fn timeouts(attempt: impl Into<Option<Duration>>, total: impl Into<Option<Duration>>) -> Timeouts {
    Timeouts::new(attempt, total).expect("an attempt below the total")
}

fn around(layer: &StandardLayer, upstream: Upstream) -> Client {
    boxed(layer.layer(upstream))
}

pub(super) fn whole(upstream: Upstream) -> Client {
    around(&told(), upstream)
}

pub(super) fn limit(upstream: Upstream) -> Client {
    let most = NonZeroU32::new(LIMIT).expect("above zero");
    around(&told().in_flight(InFlightLimitLayer::new(most)), upstream)
}

pub(super) fn adaptive(upstream: Upstream) -> Client {
    around(&told().in_flight(InFlightLimitLayer::adaptive(Adaptive::new())), upstream)
}

pub(super) fn no_retry(upstream: Upstream) -> Client {
    around(&told().retry(None), upstream)
}

pub(super) fn no_budget(upstream: Upstream) -> Client {
    around(&told().retry(RetryLayer::new().budget(Budget::none())), upstream)
}

pub(super) fn no_breaker(upstream: Upstream) -> Client {
    around(&told().circuit_breaker(None::<CircuitBreakerLayer>), upstream)
}

pub(super) fn no_timeout(upstream: Upstream) -> Client {
    around(&told().timeouts(timeouts(None, None)), upstream)
}

pub(super) fn no_deadline(upstream: Upstream) -> Client {
    around(&told().timeouts(timeouts(ATTEMPT, None)), upstream)
}

pub(super) fn three_retries(upstream: Upstream) -> Client {
    around(&told().retry(RetryLayer::new().max_retries(3)), upstream)
}

pub(super) fn untouched(upstream: Upstream) -> Client {
    around(&StandardLayer::new("upstream"), upstream)
}

pub(super) fn throttle(upstream: Upstream) -> Client {
    let layer = told().circuit_breaker(None::<CircuitBreakerLayer>);
    boxed(layer.layer(Throttle::new(upstream)))
}
