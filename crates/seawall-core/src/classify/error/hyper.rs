use std::{error::Error, ops::ControlFlow};

use super::{
    context::{ConnectionReuse, ErrorContext, RequestPhase},
    limits,
};
use crate::{
    elapsed::{Elapsed, TimeoutKind},
    error::{chain, find_source},
    failure::{Cause, Detail},
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
    // Inside a connect error it belongs to the tunnel or the handshake: nothing of the request was
    // sent.
    if context.phase == RequestPhase::Unknown {
        context.phase = RequestPhase::Exchange;
    }
    if error.is_canceled() && !is_upgrade(error) {
        // hyper's term for a request that was never written, its connection having closed before
        // (hyper 1.12: client/dispatch.rs, client/conn/http1.rs and http2.rs,
        // proto/h1/dispatch.rs).
        context.unprocessed = true;
        context.never_written = true;
        context.set_cause(Cause::ConnectionTerminated);
    } else if error.is_canceled() {
        context.set_cause(Cause::HttpUpgradeFailed);
    } else if error.is_user() {
        // The sources are the caller's own. One may be a request body that is the response of
        // another upstream: proof about that call is no proof about this one.
        request_body_error(context, error);
        return ControlFlow::Break(());
    } else if error.is_parse_too_large() {
        context.set_cause(Cause::HttpResponseHeaderSectionSize);
    } else if error.is_parse() {
        context.set_cause(Cause::HttpProtocolError);
    } else if error.is_incomplete_message() || error.is_closed() {
        context.set_cause(Cause::ConnectionTerminated);
    } else if error.is_timeout() {
        context.set_cause(Cause::HttpResponseTimeout);
    } else if is_unexpected_message(error) {
        match context.connection {
            ConnectionReuse::Reused(_) | ConnectionReuse::Stale(_) => {
                context.set_cause(Cause::HttpProtocolError);
            }
            _ => context.set_detail(Cause::HttpProtocolError, Detail::ServerSpokeFirst),
        }
    }
    ControlFlow::Continue(())
}

/// Sets the cause of a failed request body. Its sender may have been too slow for a
/// `BodyTimeoutLayer`, or have sent too much for a limit.
fn request_body_error(context: &mut ErrorContext, error: &hyper::Error) {
    match find_source::<Elapsed>(error).map(Elapsed::kind) {
        Some(TimeoutKind::RequestIdle | TimeoutKind::RequestTotal) => {
            context.set_cause(Cause::RequestTimeout);
        }
        _ if chain(error).any(limits::is_timeout) => context.set_cause(Cause::RequestTimeout),
        _ if chain(error).any(limits::is_too_large) => {
            context.set_detail(Cause::HttpRequestError, Detail::RequestTooLarge);
        }
        _ => context.set_cause(Cause::HttpRequestError),
    }
}

/// Returns whether the error is about bytes that came when no response was expected.
///
/// hyper has no predicate for it. Among the kinds without a predicate, it is the only one without a
/// source (hyper 1.12: error.rs, `Kind`).
fn is_unexpected_message(error: &hyper::Error) -> bool {
    error.source().is_none() && !error.is_body_write_aborted() && !error.is_shutdown()
}

/// Returns whether "canceled" is about an upgrade, which comes after the request was answered
/// (hyper 1.12: upgrade.rs).
///
/// hyper has no predicate for it. Its source is a type without fields there. A request that was not
/// written has a text or another error for a source. Should that change, "upgrade" is the side that
/// proves nothing.
fn is_upgrade(canceled: &hyper::Error) -> bool {
    canceled.source().is_none_or(|source| size_of_val(source) == 0)
}
