use std::{error::Error, ops::ControlFlow};

use super::context::ErrorContext;
use crate::attempts::RetriesExhausted;

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if let Some(exhausted) = error.downcast_ref::<RetriesExhausted>() {
        context.may_be_processed |= exhausted.may_be_processed();
    }
    ControlFlow::Continue(())
}
