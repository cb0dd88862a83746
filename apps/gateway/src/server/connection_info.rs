//! Facts about the connection of a request, as a request extension.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::HeaderValue;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::activity::Activity;

/// The scheme by which the caller reached the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The other end of a connection, which may be a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// In its canonical form.
    pub(crate) address: IpAddr,
    /// The address as text. It is formatted once for all requests.
    pub(crate) text: HeaderValue,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        let address = address.ip().to_canonical();
        // Infallible: an address is ASCII without control characters.
        let text = HeaderValue::try_from(address.to_string());
        Self { address, text: text.unwrap_or_else(|_| HeaderValue::from_static("unknown")) }
    }
}

/// The connection of a request.
///
/// # Clone
///
/// Clones refer to the same connection.
#[derive(Clone)]
pub(crate) struct ConnectionInfo(Arc<Shared>);

pub(super) struct Shared {
    pub(super) peer: Peer,
    pub(super) scheme: Scheme,
    pub(super) activity: Activity,
    pub(super) tasks: TaskTracker,
    pub(super) _permit: OwnedSemaphorePermit,
}

impl ConnectionInfo {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    pub(super) fn activity(&self) -> &Activity {
        &self.0.activity
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.0.peer
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    /// Registers a tunnel that outlives the HTTP connection, such as a WebSocket.
    ///
    /// Take the guard before the response is returned, and hold it in the task of the tunnel.
    pub(crate) fn tunnel_guard(&self) -> TunnelGuard {
        TunnelGuard { _task: self.0.tasks.token(), _connection: self.clone() }
    }
}

/// Delays the end of the drain, and counts as a connection, until it is dropped.
pub(crate) struct TunnelGuard {
    _task: TaskTrackerToken,
    _connection: ConnectionInfo,
}
