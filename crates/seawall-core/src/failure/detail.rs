use std::{fmt, time::Duration};

use http::StatusCode;

use super::Blame;

/// A fact that makes the [`Cause`](super::Cause) of a failure more specific.
///
/// It may change the blame, the status of a gateway's response and the advice. Its text never
/// contains anything that a peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// This process or its host has no more of a resource.
    OutOf(Resource),
    /// The worker of a queue in this process, such as `tower::buffer`, has ended.
    WorkerClosed,
    /// A balancer in this process has no endpoint.
    NoEndpoint,
    /// A service in this process was not ready, and a layer around it rejected the call instead of
    /// waiting, such as `tower::load_shed`.
    ///
    /// `LoggingLayer` summarizes these rejections.
    LoadShed,
    /// The request's body is larger than a limit of this process.
    RequestTooLarge,
    /// The connection was used before, and was idle for this time before the request.
    ///
    /// The time is too short for an idle timeout of the server.
    ReusedConnection {
        /// The idle time, in whole milliseconds.
        idle: Duration,
    },
    /// The same after a longer time: most likely the server had just closed the idle connection.
    StaleConnection {
        /// The idle time, in whole milliseconds.
        idle: Duration,
    },
    /// The server sent bytes before the request, as servers of SSH, SMTP and `MySQL` do.
    ServerSpokeFirst,
    /// The server speaks TLS on this port, and the request was sent without.
    ServerSpeaksTls,
    /// The server does not speak TLS on this port.
    ServerSpeaksPlain,
    /// The server speaks HTTP/2 only, as gRPC servers do, and the request was sent by HTTP/1.1.
    ServerSpeaksHttp2,
    /// A stream or a connection of HTTP/2 was closed before the response.
    Http2 {
        /// The side that closed it.
        closed_by: ClosedBy,
        /// The code of the reason (RFC 9113 §7).
        reason: u32,
    },
}

/// A resource of this process or its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// File descriptors of the process or the host.
    FileDescriptors,
    /// Memory.
    Memory,
    /// Buffers of the kernel for sockets.
    SocketBuffers,
    /// Local addresses and ports.
    LocalPorts,
    /// Space on a disk, or watches of epoll.
    Storage,
    /// Support for an address family, such as IPv6.
    AddressFamily,
}

/// The side that closed a stream or a connection of HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClosedBy {
    /// The upstream, with a frame.
    Upstream,
    /// The HTTP/2 library of this process, which found an error of the upstream, or a limit of its
    /// own.
    Library,
    /// The client of this process.
    Client,
}

impl Resource {
    const fn name(self) -> &'static str {
        match self {
            Self::FileDescriptors => "file descriptors",
            Self::Memory => "memory",
            Self::SocketBuffers => "socket buffers",
            Self::LocalPorts => "local ports",
            Self::Storage => "storage",
            Self::AddressFamily => "support for the address family",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::FileDescriptors => {
                "Raise this process's limit of file descriptors (`ulimit -n`), or look for a leak of connections or files (`ls /proc/PID/fd`)."
            }
            Self::Memory => {
                "Check the memory of this process and its host: `free -m`, and the limit of its container."
            }
            Self::SocketBuffers => {
                "Check the memory that this host gives to sockets: `ss -s`, and `sysctl net.core net.ipv4.tcp_mem`."
            }
            Self::LocalPorts => {
                "Check that this host has local ports left (`ss -s`), that connections are reused, and that the local address of the client exists."
            }
            Self::Storage => {
                "Check the disk of this host, and its limit of epoll watches: `df -h`, `sysctl fs.epoll.max_user_watches`."
            }
            Self::AddressFamily => {
                "Check whether this host supports the upstream's address family: most often IPv6 is disabled here, and the upstream's name resolves to IPv6 only."
            }
        }
    }
}

/// The reasons of RFC 9113 §7.
mod reason {
    pub(super) const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    pub(super) const NO_ERROR: u32 = 0;
    pub(super) const PROTOCOL_ERROR: u32 = 1;
    pub(super) const FLOW_CONTROL_ERROR: u32 = 3;
    pub(super) const STREAM_CLOSED: u32 = 5;
    pub(super) const FRAME_SIZE_ERROR: u32 = 6;
    pub(super) const REFUSED_STREAM: u32 = 7;
    pub(super) const CANCEL: u32 = 8;
    pub(super) const COMPRESSION_ERROR: u32 = 9;
    pub(super) const ENHANCE_YOUR_CALM: u32 = 11;
    pub(super) const INADEQUATE_SECURITY: u32 = 12;
    pub(super) const HTTP_1_1_REQUIRED: u32 = 13;
}

impl Detail {
    /// Returns the party at fault, if it differs from that of the cause.
    pub(super) const fn blame(self) -> Option<Blame> {
        match self {
            Self::RequestTooLarge => Some(Blame::Caller),
            Self::OutOf(_)
            | Self::WorkerClosed
            | Self::NoEndpoint
            | Self::Http2 { closed_by: ClosedBy::Client, .. }
            // h2 meets this limit by frames for streams that this process canceled.
            | Self::Http2 { closed_by: ClosedBy::Library, reason: reason::ENHANCE_YOUR_CALM } => {
                Some(Blame::Process)
            }
            _ => None,
        }
    }

    /// Returns the status of a gateway's response, if it differs from that of the cause.
    pub(super) const fn gateway_status(self) -> Option<StatusCode> {
        match self {
            // Another instance can serve the request.
            Self::WorkerClosed | Self::NoEndpoint => Some(StatusCode::SERVICE_UNAVAILABLE),
            Self::RequestTooLarge => Some(StatusCode::PAYLOAD_TOO_LARGE),
            _ => None,
        }
    }

    /// Returns the first step for a person, if it differs from that of the cause.
    pub(super) const fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::OutOf(resource) => resource.advice(),
            Self::WorkerClosed => {
                "Look for the first error of the service behind the queue, or for a panic: the queue stays closed, so build the service again."
            }
            Self::NoEndpoint => "Check the discovery of endpoints: the balancer has none.",
            Self::LoadShed => {
                "Check whether the upstream has become slow, then whether the limit of the service that was not ready is too low for the load."
            }
            Self::RequestTooLarge => {
                "Send a smaller body, or raise the limit of the layer that counts it."
            }
            Self::ReusedConnection { .. } => {
                "Check the upstream's log for a crash or restart at this time: the connection was in use just before."
            }
            Self::StaleConnection { .. } => {
                "Set the upstream's keep-alive timeout longer than the idle timeout of the connections to it."
            }
            Self::ServerSpokeFirst => {
                "Check the port and the version of HTTP: its server speaks first, as those of SSH, SMTP, MySQL and HTTP/2 do."
            }
            Self::ServerSpeaksTls => "Use `https` for this port: its server speaks TLS.",
            Self::ServerSpeaksPlain => {
                "Use `http` for this port, or the port of TLS: its server does not speak TLS."
            }
            Self::ServerSpeaksHttp2 => {
                "Build the client with HTTP/2: the server of this port speaks nothing else, as gRPC servers do."
            }
            Self::Http2 { closed_by, reason } => return http2_advice(closed_by, reason),
        })
    }
}

const fn http2_advice(closed_by: ClosedBy, reason: u32) -> Option<&'static str> {
    Some(match (closed_by, reason) {
        (ClosedBy::Upstream, reason::NO_ERROR | reason::REFUSED_STREAM) => {
            "Check whether the upstream is shutting down or at its limit of streams: it refused the request before processing it."
        }
        (ClosedBy::Upstream, reason::CANCEL) => {
            "Check the upstream's log for why it canceled the request, such as a time limit of its own."
        }
        (ClosedBy::Upstream, reason::ENHANCE_YOUR_CALM) => {
            "Check whether this process cancels many calls or sends pings too often: the upstream closed because it takes this for an attack."
        }
        (ClosedBy::Upstream, reason::HTTP_1_1_REQUIRED) => {
            "Use HTTP/1.1 for this request: the upstream does not accept it by HTTP/2."
        }
        (ClosedBy::Upstream, reason::INADEQUATE_SECURITY) => {
            "Check the TLS version and cipher of the client: the upstream rejects them for HTTP/2."
        }
        (
            ClosedBy::Upstream,
            reason::PROTOCOL_ERROR
            | reason::FLOW_CONTROL_ERROR
            | reason::STREAM_CLOSED
            | reason::FRAME_SIZE_ERROR
            | reason::COMPRESSION_ERROR,
        ) => {
            "Check the upstream's log for the frame or header of this client that it rejects, and that both sides mean HTTP/2."
        }
        (ClosedBy::Library, reason::ENHANCE_YOUR_CALM) => {
            "Check whether this process cancels many calls: its HTTP/2 library closed the connection at its limit of reset streams (`max_local_error_reset_streams`)."
        }
        (ClosedBy::Library, _) => {
            "Check that the port speaks HTTP/2: the HTTP/2 library of this process rejected the upstream's frames."
        }
        (ClosedBy::Client, _) => {
            "Check the request's own body and the settings of the client: it closed the stream itself."
        }
        (ClosedBy::Upstream, _) => return None,
    })
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::OutOf(Resource::AddressFamily) => {
                f.write_str("address family not supported here")
            }
            Self::OutOf(resource) => write!(f, "out of {}", resource.name()),
            Self::WorkerClosed => f.write_str("queue closed"),
            Self::NoEndpoint => f.write_str("no endpoint"),
            Self::LoadShed => f.write_str("load shed"),
            Self::RequestTooLarge => f.write_str("request body too large"),
            Self::ReusedConnection { idle } => write!(f, "reused connection, idle {idle:?}"),
            Self::StaleConnection { idle } => write!(f, "stale connection, idle {idle:?}"),
            Self::ServerSpokeFirst => f.write_str("server spoke first"),
            Self::ServerSpeaksTls => f.write_str("server speaks TLS"),
            Self::ServerSpeaksPlain => f.write_str("server does not speak TLS"),
            Self::ServerSpeaksHttp2 => f.write_str("server speaks HTTP/2"),
            Self::Http2 { closed_by, reason } => {
                let closed_by = match closed_by {
                    ClosedBy::Upstream => "upstream",
                    ClosedBy::Library => "the HTTP/2 library here",
                    ClosedBy::Client => "the client here",
                };
                match reason::NAMES.get(reason as usize) {
                    Some(name) => write!(f, "{name} by {closed_by}"),
                    None => write!(f, "HTTP/2 reason {reason} by {closed_by}"),
                }
            }
        }
    }
}
