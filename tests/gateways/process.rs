//! A gateway in a process of its own, with a directory of its own.

use std::{
    ffi::OsStr,
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use tokio::net::TcpStream;

/// Runs until dropped; then it, whatever it has started, and its directory are gone.
pub(crate) struct Gateway {
    child: Child,
    directory: TempDir,
    pub(crate) addr: SocketAddr,
}

/// Becomes the gateway, beside a process that waits for its end of a pipe to be closed and then ends the group: asks
/// first, since Squid has shared memory to remove, and after five seconds kills. That happens when this process lets go
/// of the pipe, and also when this process is interrupted or killed.
const GUARDED: &str = r#"exec 3<&0
{
  trap '' TERM
  cat <&3 >/dev/null
  kill -TERM 0
  for _ in $(seq 50); do kill -0 $$ 2>/dev/null || break; sleep 0.1; done
  kill -KILL 0
} &
exec 3<&-
exec "$@" </dev/null"#;

/// A port that was free a moment ago. Gateways bind their own, so none can be kept for them; but it is none of those
/// that the system gives to others meanwhile.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 500) as u16 * 20;
    (0..2_000)
        .map(|_| SocketAddr::from(([127, 0, 0, 1], first + NEXT.fetch_add(1, Ordering::Relaxed))))
        .find(|addr| TcpListener::bind(addr).is_ok())
        .expect("a free port")
}

/// An empty directory for one gateway, which may run as somebody else than this process.
pub(crate) fn directory(name: &str) -> TempDir {
    let open_to_all = fs::Permissions::from_mode(0o777);
    let directory = tempfile::Builder::new().prefix(&format!("seawall-{name}-")).tempdir().unwrap();
    fs::set_permissions(&directory, open_to_all).unwrap();
    directory
}

impl Gateway {
    /// Starts `command`, which listens on `addr`, and waits until it does.
    pub(crate) async fn start(command: &Command, directory: TempDir, addr: SocketAddr) -> Self {
        let program = Path::new(command.get_program()).display().to_string();
        let output = fs::File::create(directory.path().join("output")).unwrap();
        let mut guarded = Command::new("sh");
        guarded
            .args(["-c", GUARDED, "guarded"].map(OsStr::new))
            .arg(command.get_program())
            .args(command.get_args())
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let child = guarded.spawn().unwrap();
        let mut gateway = Self { child, directory, addr };
        // Twenty seconds at most, as long as it is still running.
        for _ in 0..1_000 {
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

    /// The end of what it wrote to standard output and error.
    pub(crate) fn output(&self) -> String {
        let output = fs::read(self.directory.path().join("output")).unwrap_or_default();
        let end = &output[output.len().saturating_sub(4_096)..];
        String::from_utf8_lossy(end).into_owned()
    }

    /// Its process group, which has the number of its first process.
    pub(crate) fn group(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps its files.
    pub(crate) fn files(&self) -> PathBuf {
        self.directory.path().into()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        // What it started is not waited for.
        for _ in 0..700 {
            if alive(self.group()).is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The processes of a group, by `/proc`; those that have ended and are only not yet waited for left out.
pub(crate) fn alive(group: u32) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
    all.filter(|process| {
        // proc(5): pid (name) state ppid pgrp …; a name may hold anything.
        let after_name = process.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<_> = after_name.split_whitespace().take(3).collect();
        matches!(fields[..], [state, _, pgrp] if state != "Z" && pgrp == group.to_string())
    })
    .collect()
}
