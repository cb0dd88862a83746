use std::{
    error,
    io::{Error, ErrorKind},
    ops::ControlFlow,
};

use super::context::{ErrorContext, RequestPhase};
use crate::failure::Cause;

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn error::Error + 'static),
) -> ControlFlow<()> {
    // An error of kind `Other` wraps one that is inspected next.
    let error = error.downcast_ref::<Error>().filter(|error| error.kind() != ErrorKind::Other);
    if let Some(error) = error {
        if let Some(cause) = cause(error, context.phase) {
            context.cause = Some(cause);
        }
        // TCP reports a refusal only before a connection exists (RFC 9293 §3.5.2: a reset in SYN-SENT). Unless a client
        // places it later, it proves that nothing was sent.
        if error.kind() == ErrorKind::ConnectionRefused && context.phase == RequestPhase::Unknown {
            context.unprocessed = true;
        }
    }
    ControlFlow::Continue(())
}

fn cause(error: &Error, phase: RequestPhase) -> Option<Cause> {
    let connecting = phase == RequestPhase::Connect;
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected => Cause::ConnectionTerminated,
        ErrorKind::TimedOut => phase.timeout(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Cause::DestinationIpUnroutable
        }
        // TLS libraries return these if the peer does not speak TLS, or hangs up during the handshake.
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData if connecting => Cause::TlsProtocolError,
        ErrorKind::UnexpectedEof => Cause::HttpResponseIncomplete,
        // hyper returns these for a body that is not chunked as declared.
        ErrorKind::InvalidInput | ErrorKind::InvalidData if phase == RequestPhase::Exchange => {
            Cause::HttpResponseTransferCoding
        }
        // A firewall's reject rule, or a route of type "prohibit".
        ErrorKind::PermissionDenied if connecting => Cause::DestinationIpProhibited,
        // Local ports or addresses are used up.
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse if connecting => {
            Cause::ProxyInternalError
        }
        kind if kind == uncategorized() && error.raw_os_error().is_none() => Cause::DnsError,
        _ => return None,
    })
}

/// Returns the kind of a failed name lookup, which stable Rust has no name for.
///
/// std gives it to a lookup with a text and without an error number, and otherwise only to unknown error numbers.
fn uncategorized() -> ErrorKind {
    Error::from_raw_os_error(i32::MAX).kind()
}
