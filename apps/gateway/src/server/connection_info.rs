//! Facts about the connection of a request, as a request extension.

use std::{net::SocketAddr, sync::Arc};

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
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
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
    pub(super) peer: SocketAddr,
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

    /// Returns the address of the other end, which may be a proxy.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.0.peer
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
