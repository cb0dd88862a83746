use std::{error::Error, ops::ControlFlow};

use h2::Reason;

use super::context::ErrorContext;
use crate::failure::Cause;

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    let error = error.downcast_ref::<h2::Error>().filter(|error| !error.is_io());
    if let Some(error) = error {
        context.cause = Some(cause(error));
        context.unprocessed |= is_refused(error);
    }
    ControlFlow::Continue(())
}

fn cause(error: &h2::Error) -> Cause {
    if error.is_remote() && (error.is_reset() || error.is_go_away()) {
        Cause::ConnectionTerminated
    } else if error.is_reset() && !error.is_library() {
        // Reset by this side, and not because of the response: hyper does so when the request's own body fails, and does
        // not keep the reason (hyper 1.12: proto/h2/mod.rs, `on_user_err`).
        Cause::HttpRequestError
    } else {
        Cause::HttpProtocolError
    }
}

/// Returns whether the peer guarantees that the request was not processed.
///
/// RFC 9113 §8.7: `REFUSED_STREAM` guarantees it. §6.8: streams above the last one that a `GOAWAY` names were not
/// processed, and h2 returns a `GOAWAY` only for those. Other reasons do not count, since they mean that the peer is broken.
fn is_refused(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    let going_away = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
    error.is_remote() && (refused || going_away)
}
