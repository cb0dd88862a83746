//! The order of the layers.

use std::time::Duration;

use seawall_core::classify::HttpClassifier;
use tower_layer::Layer;

use super::{
    ByAuthority, StandardLayer,
    classifier::ReportClassifier,
    per_key::{CircuitPerUriKey, LimitPerUriKey},
};
use crate::{
    bad_gateway::{self, BadGatewayClassifier},
    body_timeout::{BodyTimeout, BodyTimeoutLayer},
    circuit_breaker::CircuitBreaker,
    deadline::{DeadlineHeader, DeadlineService},
    in_flight::{self, InFlightLimit},
    logging::{self, Logging},
    retry::{HttpCallAdapter, Retry},
    time_limit::TimeoutBody,
    timeout::{Timeout, TimeoutLayer},
};

/// Service made by [`StandardLayer`].
///
/// The client inside must be `Clone`, and takes [`ReplayBody`](crate::retry::ReplayBody)s, or what
/// [`map_body`](StandardLayer::map_body) makes of them.
pub type Standard<S, C = HttpClassifier, P = HttpCallAdapter, K = ByAuthority> =
    Logging<DeadlineService<Retry<AttemptNumber<S, C, K>, C, P>>, ReportClassifier<C>>;

/// The layers inside of the retry.
type AttemptNumber<S, C, K> = CircuitBreaker<
    InFlightLimit<Timeout<BodyTimeout<DeadlineHeader<BadGatewayClassifier<S>>>>, LimitPerUriKey<K>>,
    C,
    CircuitPerUriKey<K>,
>;

/// Response body of [`Standard`].
pub type ResponseBody<B> = logging::ResponseBody<
    TimeoutBody<in_flight::ResponseBody<TimeoutBody<bad_gateway::ResponseBody<B>>>>,
>;

impl<C: Clone, P: Clone, K, Side> StandardLayer<C, P, K, Side> {
    pub(super) fn stack<S: Clone>(&self, client: S) -> Standard<S, C, P, K> {
        let Self { classifier, retry, per_key, layers, .. } = self;
        let logging = layers.logging.clone().classifier(ReportClassifier(classifier.clone()));
        let retry = retry.clone().classifier(classifier.clone());
        let breaker = per_key.breaker.clone().classifier(classifier.clone());
        let timeout = TimeoutLayer::new(layers.timeouts.attempt.unwrap_or(Duration::MAX));
        let idle = layers.timeouts.body_idle.unwrap_or(Duration::MAX);
        let body_timeout = BodyTimeoutLayer::new().idle(idle);

        let attempt = layers.bad_gateway.layer(client);
        let attempt = layers.next_hop.layer(attempt);
        let attempt = body_timeout.layer(attempt);
        let attempt = timeout.layer(attempt);
        let attempt = per_key.in_flight.layer(attempt);
        let attempt = breaker.layer(attempt);
        let call = retry.layer(attempt);
        let call = layers.deadline.layer(call);
        logging.layer(call)
    }
}
