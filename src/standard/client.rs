use tower_layer::Layer;

use super::{Standard, StandardLayer};

/// The side of a [`StandardLayer`] that wraps a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Client {}

impl<S: Clone, C: Clone, P: Clone> Layer<S> for StandardLayer<C, P, Client> {
    type Service = Standard<S, C, P>;

    fn layer(&self, client: S) -> Self::Service {
        self.stack(client)
    }
}
