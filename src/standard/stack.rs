//! The type of the stack, and the order of its layers.

use std::time::Duration;

use seawall_core::classify::HttpClassifier;
use tower_layer::Layer;

use super::{StandardLayer, classifier::ReportClassifier};
use crate::{
    bad_gateway::{self, BadGatewayClassifier},
    body_timeout::{BodyTimeout, BodyTimeoutLayer},
    circuit_breaker::{CircuitBreaker, CircuitPerKey},
    deadline::{DeadlineHeader, DeadlineService},
    in_flight::{self, InFlightLimit, LimitPerKey},
    logging::{self, Logging},
    retry::{HttpCallAdapter, Retry},
    time_limit::TimeoutBody,
    timeout::{FixedTimeout, PauseWhileBodyPending, Timeout, TimeoutLayer},
};

/// The service of the whole stack. Created by [`StandardLayer`].
///
/// The inner client must be `Clone`. The body of its requests is a
/// [`ReplayBody`](crate::retry::ReplayBody), or the result of
/// [`map_body`](StandardLayer::map_body).
pub type Standard<S, C = HttpClassifier, P = HttpCallAdapter> =
    Logging<DeadlineService<Retry<AttemptStack<S, C>, C, P>>, ReportClassifier<C>>;

/// The layers inside the retry layer. Each attempt passes through them.
type AttemptStack<S, C> = CircuitBreaker<
    InFlightLimit<
        AttemptTimeout<BodyTimeout<DeadlineHeader<BadGatewayClassifier<S>>>>,
        LimitPerKey,
    >,
    C,
    CircuitPerKey,
>;

type AttemptTimeout<S> = Timeout<S, PauseWhileBodyPending<FixedTimeout>>;

/// Response body of [`Standard`].
pub type ResponseBody<B> = logging::ResponseBody<
    TimeoutBody<in_flight::ResponseBody<TimeoutBody<bad_gateway::ResponseBody<B>>>>,
>;

impl<C: Clone, P: Clone, Side> StandardLayer<C, P, Side> {
    /// Wraps `client` in all layers, from the inside out.
    pub(super) fn stack<S: Clone>(&self, client: S) -> Standard<S, C, P> {
        let Self { classifier, retry, per_key, layers, .. } = self;
        let logging = layers.logging.clone().classifier(ReportClassifier(classifier.clone()));
        let retry = retry.clone().classifier(classifier.clone());
        let breaker = per_key.breaker.clone().classifier(classifier.clone());
        let timeout = TimeoutLayer::new(layers.timeouts.attempt.unwrap_or(Duration::MAX))
            .pause_while_body_pending();
        let idle = layers.timeouts.body_idle.unwrap_or(Duration::MAX);
        let body_timeout = BodyTimeoutLayer::new().idle(idle);

        let attempt = layers.bad_gateway.layer(client);
        let attempt = layers.next_hop.layer(attempt);
        let attempt = body_timeout.layer(attempt);
        let attempt = timeout.layer(attempt);
        let in_flight = per_key.in_flight.clone().unread_timeout_at_most(idle);
        let attempt = in_flight.layer(attempt);
        let attempt = breaker.layer(attempt);
        let call = retry.layer(attempt);
        let call = layers.deadline.layer(call);
        logging.layer(call)
    }
}
