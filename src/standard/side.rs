use tower_layer::Layer;

use super::{Standard, StandardLayer};
use crate::error::BoxError;
use crate::{
    error_response::{ErrorResponse, ErrorResponseLayer},
    logging::{Logging, LoggingLayer},
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
    pub(super) fn failing<S: Clone>(
        &self,
        client: S,
        error: &BoxError,
    ) -> Logging<ErrorResponse<Standard<S, C, P, K>>> {
        self.side.access_log.layer(self.answering(client).failing(&**error))
    }
}
