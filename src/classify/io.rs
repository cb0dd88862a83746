use std::io::{Error, ErrorKind};

use super::chain::{Findings, Phase};
use crate::Cause;

pub(super) fn look_at(findings: &mut Findings, error: &Error) {
    // A wrapper around another error, which has its own turn next.
    if error.kind() == ErrorKind::Other {
        return;
    }
    if let Some(cause) = cause_of(error, findings.phase) {
        findings.cause = Some(cause);
    }
    // TCP reports a refusal only before a connection exists (RFC 9293 §3.5.2: a reset in SYN-SENT), so with nobody
    // saying otherwise it proves that nothing was sent.
    if error.kind() == ErrorKind::ConnectionRefused && findings.phase == Phase::Unknown {
        findings.unprocessed = true;
    }
}

fn cause_of(error: &Error, phase: Phase) -> Option<Cause> {
    let connecting = phase == Phase::Connect;
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected => Cause::ConnectionTerminated,
        ErrorKind::TimedOut => timed_out(phase),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Cause::DestinationIpUnroutable
        }
        // What TLS libraries give for a handshake with something that does not speak TLS, or that hangs up in it.
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData if connecting => Cause::TlsProtocolError,
        ErrorKind::UnexpectedEof => Cause::HttpResponseIncomplete,
        // What hyper gives for a chunked body that is none.
        ErrorKind::InvalidInput | ErrorKind::InvalidData if phase == Phase::Exchange => {
            Cause::HttpResponseTransferCoding
        }
        // A firewall's reject rule; a route of type "prohibit".
        ErrorKind::PermissionDenied if connecting => Cause::DestinationIpProhibited,
        // Local ports or addresses are used up.
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse if connecting => {
            Cause::ProxyInternalError
        }
        kind if kind == uncategorized() && error.raw_os_error().is_none() => Cause::DnsError,
        _ => return None,
    })
}

/// A wait that took too long, named by what was waited for.
pub(super) const fn timed_out(phase: Phase) -> Cause {
    match phase {
        Phase::Connect => Cause::ConnectionTimeout,
        Phase::Unknown | Phase::Exchange => Cause::HttpResponseTimeout,
    }
}

/// The kind that std gives to a failed name lookup (with a text and without an error number), and otherwise only to
/// error numbers that it does not know. It has no name in stable Rust.
fn uncategorized() -> ErrorKind {
    Error::from_raw_os_error(i32::MAX).kind()
}
