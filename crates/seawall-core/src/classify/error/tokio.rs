use std::{error::Error, ops::ControlFlow};

use tokio::time::error::Elapsed;

use super::context::ErrorContext;

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if error.is::<Elapsed>() {
        context.set_cause(context.phase.timeout());
    }
    ControlFlow::Continue(())
}
