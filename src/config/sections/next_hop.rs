use serde::de::Expected;

use super::section;
use crate::{
    config::{
        validation_error::ValidationError,
        values::{ConfigTimeoutHeader, DurationValue, ValueVisitor},
    },
    deadline::DeadlineHeaderLayer as Layer,
};

section! {
    /// The header that carries the remaining time to the next hop.
    NextHop {
        /// Name of the header. Required.
        header: ConfigTimeoutHeader,
        /// Time subtracted from the remaining time, so that the response can arrive in time.
        margin: DurationValue,
    }
}

impl NextHop {
    /// Checks that the header is set.
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        if self.header.0.is_some() {
            return Ok(());
        }
        let expected: &dyn Expected = &ValueVisitor::<ConfigTimeoutHeader>::new();
        Err(ValidationError::new(format!("missing field `header`, expected {expected}")))
    }

    /// Builds the layer. Returns `None` if the header is not set, which `check` rejects.
    pub(crate) fn build(&self) -> Option<Layer> {
        self.header.get().map(|header| self.margin.apply_to(Layer::new(header.0), Layer::margin))
    }
}
