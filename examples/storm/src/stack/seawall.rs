//! Ours.

use std::num::NonZeroU32;

use seawall::{
    BadGatewayClassifierLayer, CircuitBreakerLayer, DeadlineLayer, InFlightLimitLayer,
    LoggingLayer, RetryLayer, TimeoutLayer, circuit_breaker, in_flight, retry,
};
use tower::{ServiceBuilder, util::option_layer};

use super::{ATTEMPT, Client, TOTAL, boxed};
use crate::upstream::Upstream;

struct Parts {
    retry: bool,
    budget: bool,
    breaker: bool,
    attempt: bool,
    deadline: bool,
    limit: Option<u32>,
}

const WHOLE: Parts = Parts { retry: true, budget: true, breaker: true, attempt: true, deadline: true, limit: None };

fn stack(parts: Parts, upstream: Upstream) -> Client {
    let budget = if parts.budget { retry::Budget::default() } else { retry::Budget::none() };
    let retry = RetryLayer::new().budget_by(budget, retry::by_authority);
    let retry = if parts.retry { retry } else { retry.total(0) };
    let breaker = CircuitBreakerLayer::new().keyed(circuit_breaker::by_authority).shadow(!parts.breaker);
    let limit = parts.limit.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
    let limit = InFlightLimitLayer::new(limit).keyed(in_flight::by_authority);
    boxed(
        ServiceBuilder::new()
            .layer(LoggingLayer::client())
            .layer(option_layer(parts.deadline.then(|| DeadlineLayer::new(TOTAL))))
            .layer(retry)
            .layer(breaker)
            .layer(limit)
            .layer(option_layer(parts.attempt.then(|| TimeoutLayer::new(ATTEMPT))))
            .layer(BadGatewayClassifierLayer::new())
            .service(upstream),
    )
}

pub(super) fn whole(upstream: Upstream) -> Client {
    stack(WHOLE, upstream)
}

pub(super) fn limit(upstream: Upstream) -> Client {
    stack(Parts { limit: Some(128), ..WHOLE }, upstream)
}

pub(super) fn adaptive(upstream: Upstream) -> Client {
    stack(Parts { limit: Some(128), ..WHOLE }, upstream)
}

pub(super) fn no_retry(upstream: Upstream) -> Client {
    stack(Parts { retry: false, ..WHOLE }, upstream)
}

pub(super) fn no_budget(upstream: Upstream) -> Client {
    stack(Parts { budget: false, ..WHOLE }, upstream)
}

pub(super) fn no_breaker(upstream: Upstream) -> Client {
    stack(Parts { breaker: false, ..WHOLE }, upstream)
}

pub(super) fn no_timeout(upstream: Upstream) -> Client {
    stack(Parts { attempt: false, ..WHOLE }, upstream)
}

pub(super) fn no_deadline(upstream: Upstream) -> Client {
    stack(Parts { deadline: false, ..WHOLE }, upstream)
}
