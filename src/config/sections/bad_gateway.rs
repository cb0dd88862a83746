use super::section;
use crate::{
    bad_gateway::BadGatewayClassifierLayer as Layer,
    config::values::{Count, DurationValue},
};

section! {
    /// What is looked at in failed responses.
    BadGateway {
        /// So many bytes of the body. At most 1 MiB.
        peek: Count<0, 1_048_576>,
        /// How long they are waited for.
        peek_wait: DurationValue,
    }
}

impl BadGateway {
    pub(crate) fn apply(&self, layer: Layer) -> Layer {
        let layer = self.peek.apply_to(layer, |layer, bytes| layer.max_peek_bytes(bytes as usize));
        self.peek_wait.apply_to(layer, Layer::peek_timeout)
    }
}
