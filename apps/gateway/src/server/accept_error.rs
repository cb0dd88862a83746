//! Errors of accepting a connection.

use std::{io, time::Duration};

use tokio::time::Instant;

use crate::log::LineLimit;

/// The wait after an error of the listener. The waiting connection stays in the backlog, so an
/// immediate retry would fail at once.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The minimum time between two equal warnings.
pub(super) const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Logs the error and waits, if it concerns the listener.
pub(super) async fn recover(error: &io::Error, warning: &mut LineLimit) {
    // The error of a connection that ended in the backlog.
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    ) {
        return;
    }
    if warning.is_due(Instant::now()) {
        if is_out_of_descriptors(error) {
            tracing::warn!(
                "out of file descriptors, new connections wait: raise the limit (`ulimit -n`) \
                 or lower max_connections: {error}"
            );
        } else {
            tracing::warn!("cannot accept connections, will retry: {error}");
        }
    }
    tokio::time::sleep(RETRY_DELAY).await;
}

/// Returns whether the process or the system has too many open files.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    // The numbers of ENFILE and EMFILE are the same on all Unix systems.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
