//! Limits of http-body-util and tower-http for bodies. Both wrap the body of the request or of the
//! response.

use std::{error::Error, ops::ControlFlow};

use super::context::ErrorContext;
use crate::failure::{Cause, Detail};

/// Sets the cause of a limit in the error of a call. A call ends before the body of its response,
/// so its limit of size is taken for one of the request.
pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if is_too_large(error) {
        context.set_detail(Cause::HttpRequestError, Detail::RequestTooLarge);
    } else if is_timeout(error) {
        context.set_cause(context.phase.timeout());
    }
    ControlFlow::Continue(())
}

/// Returns whether a body exceeded the size of `http_body_util::Limited`, which tower-http's
/// `RequestBodyLimitLayer` uses.
#[cfg_attr(not(feature = "hyper"), allow(unused_variables))]
pub(super) fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "hyper")]
    return error.is::<http_body_util::LengthLimitError>();
    #[cfg(not(feature = "hyper"))]
    false
}

/// Returns whether a body exceeded the time of tower-http's `TimeoutBody`.
#[cfg_attr(
    not(any(feature = "tower-http-0_6", feature = "tower-http-0_7")),
    allow(unused_variables)
)]
pub(super) fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "tower-http-0_6")]
    if error.is::<tower_http_06::timeout::TimeoutError>() {
        return true;
    }
    #[cfg(feature = "tower-http-0_7")]
    if error.is::<tower_http_07::timeout::TimeoutError>() {
        return true;
    }
    false
}
