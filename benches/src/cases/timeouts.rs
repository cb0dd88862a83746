use http::Request;
use seawall::{
    BodyTimeoutLayer, DeadlineHeaderLayer, DeadlineLayer, TimeoutLayer, deadline::TimeoutHeader,
};
use tower::Layer;
use tower_http::timeout::ResponseBodyTimeoutLayer;

use super::{
    row::{Row, row},
    services::LIMIT,
};

/// What bounds time, other than the timeouts among the services.
pub(super) fn all() -> Vec<Row> {
    vec![
        row!("seawall Timeout, by request", |inner| {
            TimeoutLayer::by(|_: &Request<_>| Some(LIMIT)).layer(inner)
        }),
        row!("seawall BodyTimeout", |inner| BodyTimeoutLayer::new().layer(inner)),
        row!("seawall BodyTimeout, idle and total", |inner| {
            BodyTimeoutLayer::new().total(LIMIT).layer(inner)
        }),
        row!("seawall BodyTimeout, of requests", |inner| {
            BodyTimeoutLayer::for_requests().layer(inner)
        }),
        row!("tower-http ResponseBodyTimeout", |inner| {
            ResponseBodyTimeoutLayer::new(LIMIT).layer(inner)
        }),
        row!("seawall Deadline", |inner| DeadlineLayer::new(LIMIT).layer(inner)),
        row!("seawall Deadline, inner layers not told", |inner| {
            DeadlineLayer::new(LIMIT).tell_inner(false).layer(inner)
        }),
        row!("seawall Deadline, with body, not told", |inner| {
            DeadlineLayer::new(LIMIT).with_body(true).tell_inner(false).layer(inner)
        }),
        row!("seawall DeadlineHeader, no deadline", |inner| {
            DeadlineHeaderLayer::new(TimeoutHeader::Grpc).layer(inner)
        }),
    ]
}
