use std::{sync::Arc, time::Duration};

use tower_layer::Layer;

use super::{
    Standard, StandardLayer,
    attempt::{Attempt, Settings},
};
#[cfg(feature = "config")]
use crate::BoxError;
use crate::{
    DeadlineLayer, ErrorResponseLayer, LoggingLayer, error_response::ErrorResponse,
    logging::Logging, time_limit::Bounds,
};

/// The stack stands around a client.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Client {}

/// The stack stands around a client, and a server's part around that.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(super) access_log: LoggingLayer,
    pub(super) error_response: ErrorResponseLayer,
}

impl<S: Clone, C: Clone, P: Clone, K> Layer<S> for StandardLayer<C, P, K, Client> {
    type Service = Standard<S, C, P, K>;

    fn layer(&self, client: S) -> Self::Service {
        self.stack(client)
    }
}

impl<S: Clone, C: Clone, P: Clone, K> Layer<S> for StandardLayer<C, P, K, Gateway> {
    type Service = Logging<ErrorResponse<Standard<S, C, P, K>>>;

    fn layer(&self, client: S) -> Self::Service {
        self.side.access_log.layer(self.answering(client))
    }
}

impl<C: Clone, P: Clone, K> StandardLayer<C, P, K, Gateway> {
    fn answering<S: Clone>(&self, client: S) -> ErrorResponse<Standard<S, C, P, K>> {
        self.side.error_response.layer(self.stack(client))
    }

    /// A stack around a client that failed to be ready, which is what the next call is answered.
    #[cfg(feature = "config")]
    pub(super) fn failing<S: Clone>(
        &self,
        client: S,
        error: &BoxError,
    ) -> Logging<ErrorResponse<Standard<S, C, P, K>>> {
        self.side.access_log.layer(self.answering(client).failing(&**error))
    }
}

impl<C: Clone, P: Clone, K, Side> StandardLayer<C, P, K, Side> {
    fn stack<S: Clone>(&self, client: S) -> Standard<S, C, P, K> {
        let settings = self.parts.of_attempts.clone().unwrap_or_else(|| Arc::new(self.settings()));
        let (circuits, limits) = (self.keyed.breaker.circuits(), self.keyed.limits());
        let classifier = self.classifier.clone();
        let attempt = Attempt { inner: client, classifier, circuits, limits, settings };
        let deadline = self.bound();
        // The retry knows the deadline by itself, so that no request has to carry it.
        let retry = self.retry.clone().within(deadline.total(), self.parts.next_hop.kept());
        let retry = retry.classifier(self.classifier.clone());
        let logging = self.parts.logging.clone().classifier(self.classifier.clone());
        Standard { inner: retry.layer(attempt), log: logging.layer(()), deadline, alike: false }
    }

    /// What is the same for all attempts.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            limit: self.parts.timeouts.attempt.unwrap_or(Duration::MAX),
            body: Bounds::idle(self.parts.timeouts.body_idle.unwrap_or(Duration::MAX)),
            next_hop: self.parts.next_hop.clone(),
            bad_gateway: self.parts.bad_gateway.settings(),
        }
    }

    pub(super) fn bound(&self) -> DeadlineLayer {
        self.parts.deadline.clone().unwrap_or_else(|| match self.parts.timeouts.total {
            None => DeadlineLayer::off(),
            Some(total) => {
                DeadlineLayer::new(total).tell_inner(self.parts.next_hop.kept().is_some())
            }
        })
    }
}
