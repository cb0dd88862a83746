use std::{error::Error, ops::ControlFlow};

use h2::Reason;

use super::context::ErrorContext;
use crate::failure::{Cause, ClosedBy, Detail};

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if let Some(error) = error.downcast_ref::<h2::Error>().filter(|error| !error.is_io()) {
        inspect_h2(context, error);
        context.unprocessed |= is_refused(error);
    }
    ControlFlow::Continue(())
}

fn inspect_h2(context: &mut ErrorContext, error: &h2::Error) {
    // An error without a reason is about a call of h2's own functions: the request has, for
    // example, a forbidden header (h2 0.4: error.rs, `Kind::User`).
    let Some(reason) = error.reason() else {
        return context.set_cause(Cause::HttpRequestError);
    };
    let closed_by = match () {
        () if !error.is_reset() && !error.is_go_away() => ClosedBy::Library,
        () if error.is_remote() => ClosedBy::Upstream,
        () if error.is_library() => ClosedBy::Library,
        () => ClosedBy::Client,
    };
    let cause = match closed_by {
        ClosedBy::Upstream => upstream_cause(reason),
        ClosedBy::Library => library_cause(reason),
        // hyper resets a stream when the request's own body fails, and does not keep the error
        // (hyper 1.12: proto/h2/mod.rs, `on_user_err`).
        ClosedBy::Client if error.is_reset() => return context.set_cause(Cause::HttpRequestError),
        ClosedBy::Client => Cause::ConnectionTerminated,
    };
    context.set_detail(cause, Detail::Http2 { closed_by, reason: reason.into() });
}

/// Returns the cause of a frame of the upstream, by its reason (RFC 9113 §7).
const fn upstream_cause(reason: Reason) -> Cause {
    match reason {
        Reason::PROTOCOL_ERROR
        | Reason::FLOW_CONTROL_ERROR
        | Reason::STREAM_CLOSED
        | Reason::FRAME_SIZE_ERROR
        | Reason::COMPRESSION_ERROR => Cause::HttpProtocolError,
        Reason::INADEQUATE_SECURITY => Cause::TlsProtocolError,
        // The client is set to the wrong version for this request.
        Reason::HTTP_1_1_REQUIRED => Cause::ProxyConfigurationError,
        // §7: an unknown reason is treated as INTERNAL_ERROR.
        _ => Cause::ConnectionTerminated,
    }
}

/// Returns the cause of a frame that h2 sent by itself.
const fn library_cause(reason: Reason) -> Cause {
    match reason {
        // Frames that arrive for canceled streams are errors to h2 once it has forgotten those
        // streams. It closes the connection after many of them
        // (h2 0.4: proto/streams/streams.rs, `max_local_error_reset_streams`).
        Reason::ENHANCE_YOUR_CALM | Reason::NO_ERROR | Reason::CANCEL | Reason::REFUSED_STREAM => {
            Cause::ConnectionTerminated
        }
        Reason::INADEQUATE_SECURITY => Cause::TlsProtocolError,
        _ => Cause::HttpProtocolError,
    }
}

/// Returns whether the peer guarantees that the request was not processed.
///
/// RFC 9113 §8.7: `REFUSED_STREAM` guarantees it. §6.8: streams above the last one that a `GOAWAY`
/// names were not processed, and h2 returns a `GOAWAY` only for those. Other reasons do not count,
/// since they mean that the peer is broken. A reset or a `GOAWAY` of this side proves nothing about
/// the peer.
fn is_refused(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    let going_away = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
    error.is_remote() && (refused || going_away)
}
