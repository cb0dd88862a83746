use std::{
    error,
    io::{Error, ErrorKind},
    ops::ControlFlow,
};

use super::context::{ErrorContext, RequestPhase};
use crate::failure::{Cause, Detail, Resource};

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn error::Error + 'static),
) -> ControlFlow<()> {
    // An error of kind `Other` wraps one that is inspected next.
    let error = error.downcast_ref::<Error>().filter(|error| error.kind() != ErrorKind::Other);
    if let Some(error) = error {
        if let Some(resource) = exhausted_resource(error) {
            context.set_detail(Cause::ProxyInternalError, Detail::OutOf(resource));
        } else if context.phase == RequestPhase::Resolve {
            // It is about a name server, not about the upstream.
            if error.kind() == ErrorKind::TimedOut {
                context.set_cause(Cause::DnsTimeout);
            }
        } else if let Some(cause) = cause(error, context.phase) {
            context.set_cause(cause);
        }
        // TCP reports a refusal only before a connection exists (RFC 9293 §3.5.2: a reset in
        // SYN-SENT). Unless a client places it later, it proves that nothing was sent.
        if error.kind() == ErrorKind::ConnectionRefused && context.phase == RequestPhase::Unknown {
            context.unprocessed = true;
        }
    }
    ControlFlow::Continue(())
}

fn cause(error: &Error, phase: RequestPhase) -> Option<Cause> {
    let connecting = phase.is_connecting();
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected => Cause::ConnectionTerminated,
        ErrorKind::TimedOut => phase.timeout(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Cause::DestinationIpUnroutable
        }
        // TLS libraries return these if the peer does not speak TLS, or hangs up during the
        // handshake.
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData if connecting => Cause::TlsProtocolError,
        ErrorKind::UnexpectedEof => Cause::HttpResponseIncomplete,
        // hyper returns these for a body that is not chunked as declared.
        ErrorKind::InvalidInput | ErrorKind::InvalidData if phase == RequestPhase::Exchange => {
            Cause::HttpResponseTransferCoding
        }
        // A firewall's reject rule, or a route of type "prohibit".
        ErrorKind::PermissionDenied if connecting => Cause::DestinationIpProhibited,
        kind if kind == uncategorized() && error.raw_os_error().is_none() => Cause::DnsError,
        _ => return None,
    })
}

/// Returns the kind of a failed name lookup, which stable Rust has no name for.
///
/// std gives it to a lookup with a text and without an error number, and otherwise only to unknown
/// error numbers.
fn uncategorized() -> ErrorKind {
    Error::from_raw_os_error(i32::MAX).kind()
}

/// Returns the resource of this process or its host that an error of the kernel reports as used up.
///
/// The kernel never returns these errors for an act of the peer (POSIX.1-2024, `socket` and
/// `connect`; Linux: connect(2), `epoll_ctl`).
fn exhausted_resource(error: &Error) -> Option<Resource> {
    Some(match error.kind() {
        ErrorKind::OutOfMemory => Resource::Memory,
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => Resource::LocalPorts,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Resource::Storage,
        _ => match error.raw_os_error()? {
            os::EMFILE | os::ENFILE => Resource::FileDescriptors,
            os::ENOBUFS => Resource::SocketBuffers,
            os::EAFNOSUPPORT | os::EPROTONOSUPPORT => Resource::AddressFamily,
            _ => return None,
        },
    })
}

/// The error numbers that stable Rust has no [`ErrorKind`] for: XNU and FreeBSD, `sys/errno.h`.
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
))]
mod os {
    pub(super) const ENFILE: i32 = 23;
    pub(super) const EMFILE: i32 = 24;
    pub(super) const EPROTONOSUPPORT: i32 = 43;
    pub(super) const EAFNOSUPPORT: i32 = 47;
    pub(super) const ENOBUFS: i32 = 55;
}

/// The same of Windows: `WinError.h`, where `ENFILE` is `ERROR_TOO_MANY_OPEN_FILES`.
#[cfg(windows)]
mod os {
    pub(super) const ENFILE: i32 = 4;
    pub(super) const EMFILE: i32 = 10_024;
    pub(super) const EPROTONOSUPPORT: i32 = 10_043;
    pub(super) const EAFNOSUPPORT: i32 = 10_047;
    pub(super) const ENOBUFS: i32 = 10_055;
}

/// The same of Linux (`asm-generic/errno.h`), and of any other system.
#[cfg(not(any(
    windows,
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
)))]
mod os {
    pub(super) const ENFILE: i32 = 23;
    pub(super) const EMFILE: i32 = 24;
    pub(super) const EPROTONOSUPPORT: i32 = 93;
    pub(super) const EAFNOSUPPORT: i32 = 97;
    pub(super) const ENOBUFS: i32 = 105;
}
