use std::{error::Error, ops::ControlFlow};

use super::context::{ErrorContext, RequestPhase};
use crate::{
    elapsed::{Elapsed, TimeoutKind},
    error::find_source,
    failure::Cause,
};

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    match error.downcast_ref() {
        Some(error) => inspect_hyper(context, error),
        None => ControlFlow::Continue(()),
    }
}

fn inspect_hyper(context: &mut ErrorContext, error: &hyper::Error) -> ControlFlow<()> {
    // Inside a connect error it belongs to the tunnel or the handshake: nothing of the request was sent.
    if context.phase == RequestPhase::Unknown {
        context.phase = RequestPhase::Exchange;
    }
    if error.is_canceled() && !is_upgrade(error) {
        // hyper's term for a request that was never written, its connection having closed before
        // (hyper 1.12: client/dispatch.rs, client/conn/http1.rs and http2.rs, proto/h1/dispatch.rs).
        context.unprocessed = true;
        context.never_written = true;
        context.cause = Some(Cause::ConnectionTerminated);
    } else if error.is_canceled() {
        context.cause = Some(Cause::HttpUpgradeFailed);
    } else if error.is_user() {
        // The sources are the caller's own. One may be a request body that is the response of another upstream: proof about
        // that call is no proof about this one.
        context.cause = Some(request_body_cause(error));
        return ControlFlow::Break(());
    } else if error.is_parse_too_large() {
        context.cause = Some(Cause::HttpResponseHeaderSectionSize);
    } else if error.is_parse() {
        context.cause = Some(Cause::HttpProtocolError);
    } else if error.is_incomplete_message() || error.is_closed() {
        context.cause = Some(Cause::ConnectionTerminated);
    } else if error.is_timeout() {
        context.cause = Some(Cause::HttpResponseTimeout);
    }
    ControlFlow::Continue(())
}

/// Returns the cause of a failed request body. Its sender may have been too slow for a `BodyTimeoutLayer`.
fn request_body_cause(error: &hyper::Error) -> Cause {
    match find_source::<Elapsed>(error).map(Elapsed::kind) {
        Some(TimeoutKind::RequestIdle | TimeoutKind::RequestTotal) => Cause::RequestTimeout,
        _ => Cause::HttpRequestError,
    }
}

/// Returns whether "canceled" is about an upgrade, which comes after the request was answered (hyper 1.12: upgrade.rs).
///
/// hyper has no predicate for it. Its source is a type without fields there. A request that was not written has a text or
/// another error for a source. Should that change, "upgrade" is the side that proves nothing.
fn is_upgrade(canceled: &hyper::Error) -> bool {
    canceled.source().is_none_or(|source| size_of_val(source) == 0)
}
