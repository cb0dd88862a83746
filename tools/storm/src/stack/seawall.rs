//! `StandardLayer` with the common timeouts, and variants with one part removed, added or changed.

use std::{num::NonZeroU32, time::Duration};

use seawall::{
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
    retry::{Budget, RetryLayer},
    standard::{StandardLayer, Timeouts},
};
use tower::Layer;

use super::{ATTEMPT_TIMEOUT, CALL_TIMEOUT, Client, IN_FLIGHT_LIMIT, boxed, throttle::Throttle};
use crate::upstream::Upstream;

fn standard_layer() -> StandardLayer {
    StandardLayer::new("upstream").timeouts(timeouts(ATTEMPT_TIMEOUT, CALL_TIMEOUT))
}

fn timeouts(attempt: Duration, total: Duration) -> Timeouts {
    Timeouts::new(attempt, total).expect("attempt timeout below the total")
}

fn client(layer: &StandardLayer, upstream: Upstream) -> Client {
    boxed(layer.layer(upstream))
}

pub(super) fn standard(upstream: Upstream) -> Client {
    client(&standard_layer(), upstream)
}

pub(super) fn limit(upstream: Upstream) -> Client {
    let limit = NonZeroU32::new(IN_FLIGHT_LIMIT).expect("above zero");
    client(&standard_layer().in_flight(InFlightLimitLayer::new(limit)), upstream)
}

pub(super) fn adaptive(upstream: Upstream) -> Client {
    client(
        &standard_layer().in_flight(InFlightLimitLayer::adaptive(AdaptiveLimit::new())),
        upstream,
    )
}

pub(super) fn no_retry(upstream: Upstream) -> Client {
    client(&standard_layer().without_retry(), upstream)
}

pub(super) fn no_budget(upstream: Upstream) -> Client {
    client(&standard_layer().retry(RetryLayer::new().budget(Budget::none())), upstream)
}

pub(super) fn no_breaker(upstream: Upstream) -> Client {
    client(&standard_layer().without_circuit_breaker(), upstream)
}

pub(super) fn no_timeout(upstream: Upstream) -> Client {
    client(
        &standard_layer().timeouts(Timeouts::none().body_idle(Duration::from_secs(60))),
        upstream,
    )
}

pub(super) fn no_deadline(upstream: Upstream) -> Client {
    client(
        &standard_layer().timeouts(timeouts(ATTEMPT_TIMEOUT, CALL_TIMEOUT).without_total()),
        upstream,
    )
}

pub(super) fn three_retries(upstream: Upstream) -> Client {
    client(&standard_layer().retry(RetryLayer::new().max_retries(3)), upstream)
}

pub(super) fn defaults(upstream: Upstream) -> Client {
    client(&StandardLayer::new("upstream"), upstream)
}

pub(super) fn throttle(upstream: Upstream) -> Client {
    let layer = standard_layer().without_circuit_breaker();
    boxed(layer.layer(Throttle::new(upstream)))
}
