//! The server's part around the stack of a gateway.

use seawall_core::{BoxError, classify::HttpClassifier};
use tower_layer::Layer;

use super::{ByAuthority, Standard, StandardLayer};
use crate::{
    error_response::{ErrorResponse, ErrorResponseLayer},
    logging::{Logging, LoggingLayer},
    retry::HttpCallAdapter,
};

/// The stack stands around a client, and a server's part around that.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(super) access_log: LoggingLayer,
    pub(super) error_response: ErrorResponseLayer,
}

impl StandardLayer {
    /// The stack around a client, and a server's part around that: one line a request, and an answer in the name of `name` to
    /// every error ([`ErrorResponseLayer::new`] says what it may hold). Its service never fails, and so can be an
    /// axum router's.
    pub fn gateway(
        name: &str,
    ) -> StandardLayer<HttpClassifier, HttpCallAdapter, ByAuthority, Gateway> {
        let side = Gateway {
            access_log: LoggingLayer::server(),
            error_response: ErrorResponseLayer::new(name),
        };
        StandardLayer::of(name, side)
    }
}

impl<C, P, K> StandardLayer<C, P, K, Gateway> {
    /// Logs requests by these settings. `None`: not at all. Default: [`LoggingLayer::server`].
    pub fn access_log(mut self, access_log: impl Into<Option<LoggingLayer>>) -> Self {
        self.side.access_log = access_log.into().unwrap_or_else(LoggingLayer::disabled);
        self
    }

    /// Answers errors by these settings.
    pub fn error_response(mut self, error_response: ErrorResponseLayer) -> Self {
        self.side.error_response = error_response;
        self
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
    pub(crate) fn failing<S: Clone>(
        &self,
        client: S,
        error: &BoxError,
    ) -> Logging<ErrorResponse<Standard<S, C, P, K>>> {
        self.side.access_log.layer(self.answering(client).failing(&**error))
    }
}
