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
    /// Tells the next server how long it has.
    NextHop {
        /// The header that says so. It has to be given.
        header: TimeoutHeaderName,
        /// What is kept of the time that is left, so that the answer has time to come back.
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

    /// `None`, which `check` refuses: there is no header.
    pub(crate) fn build(&self) -> Option<Layer> {
        self.header.get().map(|header| self.margin.apply_to(Layer::new(header.0), Layer::margin))
    }
}
