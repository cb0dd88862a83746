//! A gateway in a process of its own, with a directory of its own.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::net::TcpStream;

/// Runs until dropped; then it and its directory are gone.
pub(crate) struct Gateway {
    child: Child,
    directory: PathBuf,
    pub(crate) addr: SocketAddr,
}

/// A port that was free a moment ago. Gateways bind their own, so none can be kept for them.
pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap()
}

/// An empty directory for one gateway.
pub(crate) fn directory(name: &str, addr: SocketAddr) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("seawall-{name}-{}", addr.port()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

impl Gateway {
    /// Starts `command`, which listens on `addr`, and waits until it does.
    pub(crate) async fn start(mut command: Command, directory: PathBuf, addr: SocketAddr) -> Self {
        let log = fs::File::create(directory.join("output")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let program = Path::new(command.get_program()).display().to_string();
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("{program} cannot be started, so this test cannot pass: {error}")
        });
        let mut gateway = Self { child, directory, addr };
        // Ten seconds at most, as long as it is still running.
        for _ in 0..500 {
            if TcpStream::connect(addr).await.is_ok() {
                return gateway;
            }
            if let Some(status) = gateway.child.try_wait().unwrap() {
                panic!("{program} ended: {status}: {}", gateway.output());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{program} does not listen on {addr}: {}", gateway.output());
    }

    fn output(&self) -> String {
        fs::read_to_string(self.directory.join("output")).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A program that may stand outside a user's `PATH`.
pub(crate) fn program(name: &str) -> PathBuf {
    let system = Path::new("/usr/sbin").join(name);
    if system.exists() { system } else { name.into() }
}
