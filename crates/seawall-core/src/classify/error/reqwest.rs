use std::{error::Error, ops::ControlFlow};

use super::context::{ErrorContext, RequestPhase};
use crate::{error::reqwest::Error as AdapterError, failure::Cause};

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if let Some(error) = error.downcast_ref::<AdapterError>() {
        context.may_be_redirected = Some(error.may_be_redirected());
    }
    match error.downcast_ref() {
        Some(error) => inspect_reqwest(context, error),
        None => ControlFlow::Continue(()),
    }
}

fn inspect_reqwest(context: &mut ErrorContext, error: &reqwest::Error) -> ControlFlow<()> {
    // It follows redirects by itself, and its errors do not show it.
    context.may_be_redirected.get_or_insert(true);
    // `is_request` is also true of a failed connect, so only `is_connect` identifies the phase.
    if error.is_connect() {
        context.phase = RequestPhase::Connect;
    }
    if error.is_timeout() {
        context.set_cause(context.phase.timeout());
    } else if error.is_builder() {
        context.set_cause(Cause::HttpRequestError);
        return ControlFlow::Break(());
    } else if error.is_decode() {
        context.set_cause(Cause::HttpResponseContentCoding);
    }
    ControlFlow::Continue(())
}
