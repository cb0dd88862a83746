//! The bytes between a caller and an upstream after an upgrade.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::activity::{Activity, Watched};

/// Any value that a tunnel holds until it ends, for example that of a request in flight.
///
/// An extension of a 101 response.
#[derive(Clone)]
pub(crate) struct TunnelGuard(#[allow(dead_code, reason = "held only")] Arc<dyn Any + Send + Sync>);

impl TunnelGuard {
    pub(crate) fn new(guard: impl Any + Send + Sync) -> Self {
        Self(Arc::new(guard))
    }
}

impl fmt::Debug for TunnelGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TunnelGuard")
    }
}

/// An accepted upgrade, which becomes a tunnel when the caller has its 101 response.
#[derive(Debug)]
pub(super) struct Tunnel {
    pub(super) caller: OnUpgrade,
    pub(super) upstream: OnUpgrade,
    pub(super) guards: [Option<TunnelGuard>; 2],
}

impl Tunnel {
    /// Copies bytes in both directions, until both directions end, one fails, or none had data for
    /// `idle`, or for 10 seconds after one direction ended. The task holds two buffers of 8 KiB.
    ///
    /// A reload does not affect a tunnel. A tunnel ends with the process at the latest.
    pub(super) fn spawn(self, idle: Duration) {
        tokio::spawn(async move {
            let Self { caller, upstream, guards } = self;
            let activity = Activity::new();
            let copy = async {
                // An error means that the connection has ended, and the other end closes by drop.
                let Ok((caller, upstream)) = tokio::try_join!(caller, upstream) else { return };
                // Each byte passes the caller's end, in either direction.
                let mut caller = Watched { io: TokioIo::new(caller), activity: &activity };
                let _ = copy_bidirectional(&mut caller, &mut TokioIo::new(upstream)).await;
            };
            tokio::select! {
                () = copy => {}
                () = activity.wait_until_idle(idle) => {}
            }
            drop(guards);
        });
    }
}
