use super::section;
use crate::{
    bad_gateway::BadGatewayClassifierLayer as Layer,
    config::values::{Count, DurationValue},
};

section! {
    /// Inspection of failed responses.
    BadGateway {
        /// Maximum number of bytes of the body to inspect, up to 1 MiB.
        peek: Count<0, 1_048_576>,
        /// Maximum time to wait for these bytes.
        peek_wait: DurationValue,
    }
}

impl BadGateway {
    pub(crate) fn apply(&self, layer: Layer) -> Layer {
        let layer = self.peek.apply_to(layer, |layer, bytes| layer.max_peek_bytes(bytes as usize));
        self.peek_wait.apply_to(layer, Layer::peek_timeout)
    }
}
