//! The server-side layers around the stack in a gateway.

use seawall_core::{BoxError, classify::HttpClassifier};
use tower_layer::Layer;

use super::{Standard, StandardLayer};
use crate::{
    error_response::{ErrorResponse, ErrorResponseLayer},
    logging::{Logging, LoggingLayer},
    retry::HttpCallAdapter,
};

/// The side of a [`StandardLayer`] that wraps a client in a gateway: the server-side layers.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(super) access_log: LoggingLayer,
    pub(super) error_response: ErrorResponseLayer,
}

impl StandardLayer {
    /// Creates the stack for a gateway. Its service never fails, so it can be used in an axum
    /// router.
    ///
    /// It has the layers of [`new`](Self::new). It also logs each request, and turns each error
    /// into a response of the gateway `name`. [`ErrorResponseLayer::new`] documents the valid
    /// names.
    pub fn gateway(name: &str) -> StandardLayer<HttpClassifier, HttpCallAdapter, Gateway> {
        let side = Gateway {
            access_log: LoggingLayer::server(),
            error_response: ErrorResponseLayer::new(name),
        };
        StandardLayer::with_side(name, side)
    }
}

impl<C, P> StandardLayer<C, P, Gateway> {
    /// Sets the access log, which emits one event per request. Default: [`LoggingLayer::server`].
    pub fn access_log(mut self, access_log: LoggingLayer) -> Self {
        self.side.access_log = access_log;
        self
    }

    /// Disables the access log.
    pub fn without_access_log(self) -> Self {
        self.access_log(LoggingLayer::disabled())
    }

    /// Sets the layer that turns errors into responses. Default: [`ErrorResponseLayer::new`].
    pub fn error_response(mut self, error_response: ErrorResponseLayer) -> Self {
        self.side.error_response = error_response;
        self
    }
}

impl<S: Clone, C: Clone, P: Clone> Layer<S> for StandardLayer<C, P, Gateway> {
    type Service = Logging<ErrorResponse<Standard<S, C, P>>>;

    fn layer(&self, client: S) -> Self::Service {
        self.side.access_log.layer(self.with_error_response(client))
    }
}

impl<C: Clone, P: Clone> StandardLayer<C, P, Gateway> {
    fn with_error_response<S: Clone>(&self, client: S) -> ErrorResponse<Standard<S, C, P>> {
        self.side.error_response.layer(self.stack(client))
    }

    /// Wraps a client whose `poll_ready` has failed. The service responds to its next call with
    /// that error.
    pub(crate) fn layer_with_ready_error<S: Clone>(
        &self,
        client: S,
        error: &BoxError,
    ) -> Logging<ErrorResponse<Standard<S, C, P>>> {
        self.side.access_log.layer(self.with_error_response(client).with_ready_error(&**error))
    }
}
