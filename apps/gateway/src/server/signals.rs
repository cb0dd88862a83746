//! The signals of the process.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use tracing::Level;

use crate::{
    engine::{ConfigFile, ReloadableRouter},
    log,
};

/// Ctrl-C and SIGTERM.
#[cfg(unix)]
pub(super) struct ShutdownSignals {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl ShutdownSignals {
    pub(super) fn install() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal.
    pub(super) async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
pub(super) struct ShutdownSignals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl ShutdownSignals {
    pub(super) fn install() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Waits for the next signal.
    pub(super) async fn recv(&mut self) {
        self.0.recv().await;
    }
}

/// Reloads the configuration file and the certificate on each SIGHUP, and logs the result.
#[cfg(unix)]
pub(crate) fn reload_on_sighup(services: ReloadableRouter, file: ConfigFile) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match services.reload(&file) {
                Ok(report) => {
                    let message = format!("reloaded {}: {report}", file.path.display());
                    log::notice_with(Level::INFO, &message, report.fields());
                }
                Err(error) => {
                    let message = format!("{error}; the previous configuration stays in force");
                    log::notice(Level::ERROR, &message);
                }
            }
        }
    });
    Ok(())
}

/// Does nothing, because SIGHUP exists on Unix only.
#[cfg(not(unix))]
pub(crate) fn reload_on_sighup(_: ReloadableRouter, _: ConfigFile) -> io::Result<()> {
    Ok(())
}
