use serde::de::Expected;

use super::section;
use crate::{
    config::{
        validation_error::ValidationError,
        values::{DurationValue, ScalarVisitor, TimeoutHeaderName},
    },
    deadline::DeadlineHeaderLayer as Layer,
};

section! {
    /// The header that carries the remaining time to the next hop.
    NextHop {
        /// Name of the header. Required.
        header: TimeoutHeaderName,
        /// Time subtracted from the remaining time, so that the response can arrive in time.
        margin: DurationValue,
    }
}

impl NextHop {
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        if self.header.0.is_some() {
            return Ok(());
        }
        let expected: &dyn Expected = &ScalarVisitor::<TimeoutHeaderName>::new();
        Err(ValidationError::new(format!("missing field `header`, expected {expected}")))
    }

    /// Builds the layer, or returns `None` without a header, which `check` rejects.
    pub(crate) fn build(&self) -> Option<Layer> {
        self.header.get().map(|header| self.margin.apply_to(Layer::new(header.0), Layer::margin))
    }
}
