//! A gateway with a `[server]` table.

use std::{
    fs,
    net::SocketAddr,
    process::Command,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
};

use tempfile::NamedTempFile;

use crate::{
    caller::LIMIT,
    support::{GatewayProcess, gateway},
};

/// A gateway that serves `/a` from one upstream.
pub(crate) struct Running {
    pub(crate) process: GatewayProcess,
    pub(crate) address: SocketAddr,
    /// Deleted on drop.
    file: NamedTempFile,
    /// Ends the watchdog on drop.
    _watchdog: Sender<()>,
}

impl Running {
    /// Starts a gateway with these lines in `[server]`.
    pub(crate) fn start(server: &str, upstream: SocketAddr) -> Self {
        Self::start_in_shell("exec \"$0\" \"$@\"", server, upstream)
    }

    /// Starts a gateway with a shell script, whose arguments are the command of the gateway.
    pub(crate) fn start_in_shell(script: &str, server: &str, upstream: SocketAddr) -> Self {
        let file = NamedTempFile::with_suffix(".toml").unwrap();
        fs::write(file.path(), config(server, upstream)).unwrap();
        let config_path = file.path().to_str().unwrap();
        let gateway = gateway(&["--listen", "127.0.0.1:0", "--config", config_path]);
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(gateway.get_program()).args(gateway.get_args());
        command.env_remove("RUST_LOG");
        let process = GatewayProcess::spawn(command);
        let address = process.url.rsplit('/').next().unwrap().parse().unwrap();
        let watchdog = start_watchdog(process.pid());
        Self { process, address, file, _watchdog: watchdog }
    }

    /// Replaces the lines in `[server]`, and reloads the file. Returns the message.
    pub(crate) fn reload(&mut self, server: &str, upstream: SocketAddr) -> String {
        fs::write(self.file.path(), config(server, upstream)).unwrap();
        self.process.signal_and_read_line("-HUP")
    }
}

/// Returns the text of a configuration file.
pub(crate) fn config(server: &str, upstream: SocketAddr) -> String {
    format!("[server]\n{server}\n[[service]]\nname = \"a\"\nurl = \"http://{upstream}\"\n")
}

/// Kills the gateway when the test takes too long, because reads of its output have no limit.
fn start_watchdog(pid: u32) -> Sender<()> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        if receiver.recv_timeout(2 * LIMIT) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
    });
    sender
}
