use tower_layer::Layer;

use super::{Standard, StandardLayer};

/// The stack stands around a client.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Client {}

impl<S: Clone, C: Clone, P: Clone, K> Layer<S> for StandardLayer<C, P, K, Client> {
    type Service = Standard<S, C, P, K>;

    fn layer(&self, client: S) -> Self::Service {
        self.stack(client)
    }
}
