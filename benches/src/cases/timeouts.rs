//! Timeouts of bodies and calls.

use http::Request;
use seawall::{
    body_timeout::BodyTimeoutLayer,
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    timeout::TimeoutLayer,
};
use tower::Layer;
use tower_http::timeout::ResponseBodyTimeoutLayer;

use super::{
    group::{CaseGroup, cases},
    services::TIMEOUT,
};

pub(super) fn all() -> Vec<CaseGroup> {
    vec![
        cases!("seawall Timeout, by request", |inner| {
            TimeoutLayer::from_fn(|_: &Request<_>| Some(TIMEOUT)).layer(inner)
        }),
        cases!("seawall BodyTimeout", |inner| BodyTimeoutLayer::new().layer(inner)),
        cases!("seawall BodyTimeout, idle and total", |inner| {
            BodyTimeoutLayer::new().total(TIMEOUT).layer(inner)
        }),
        cases!("seawall BodyTimeout, of requests", |inner| {
            BodyTimeoutLayer::for_requests().layer(inner)
        }),
        cases!("tower-http ResponseBodyTimeout", |inner| {
            ResponseBodyTimeoutLayer::new(TIMEOUT).layer(inner)
        }),
        cases!("seawall Deadline", |inner| DeadlineLayer::new(TIMEOUT).layer(inner)),
        cases!("seawall Deadline, inner layers unaware", |inner| {
            DeadlineLayer::new(TIMEOUT).propagate(false).layer(inner)
        }),
        cases!("seawall Deadline, with body, inner layers unaware", |inner| {
            DeadlineLayer::new(TIMEOUT).include_body(true).propagate(false).layer(inner)
        }),
        cases!("seawall DeadlineHeader, no deadline", |inner| {
            DeadlineHeaderLayer::new(TimeoutHeader::Grpc).layer(inner)
        }),
    ]
}
