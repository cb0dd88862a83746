//! A gateway process and its directory.

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

/// A running gateway. Dropping it ends its process group and deletes its directory.
pub(crate) struct Gateway {
    child: Child,
    directory: TempDir,
    pub(crate) addr: SocketAddr,
}

/// A shell script that starts a watcher and replaces itself with the gateway.
///
/// The watcher ends the process group when its pipe is closed: when this process drops the pipe, is
/// interrupted or is killed. It sends TERM first, because Squid must remove its shared memory, and
/// KILL after five seconds.
const GUARD_SCRIPT: &str = r#"exec 3<&0
{
  trap '' TERM
  cat <&3 >/dev/null
  kill -TERM 0
  for _ in $(seq 50); do kill -0 $$ 2>/dev/null || break; sleep 0.1; done
  kill -KILL 0
} &
exec 3<&-
exec "$@" </dev/null"#;

/// Finds a free port below the range that the system assigns.
///
/// The port cannot be reserved, because the gateway binds it itself.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 500) as u16 * 20;
    (0..2_000)
        .map(|_| SocketAddr::from(([127, 0, 0, 1], first + NEXT.fetch_add(1, Ordering::Relaxed))))
        .find(|addr| TcpListener::bind(addr).is_ok())
        .expect("a free port among 2,000")
}

/// Creates an empty directory for a gateway. All users have access, as it may run as another user.
pub(crate) fn create_directory(name: &str) -> TempDir {
    let all_access = fs::Permissions::from_mode(0o777);
    let directory = tempfile::Builder::new().prefix(&format!("seawall-{name}-")).tempdir().unwrap();
    fs::set_permissions(&directory, all_access).unwrap();
    directory
}

impl Gateway {
    /// Starts `command` and waits until it listens on `addr`.
    pub(crate) async fn start(command: &Command, directory: TempDir, addr: SocketAddr) -> Self {
        let program = Path::new(command.get_program()).display().to_string();
        let output = fs::File::create(directory.path().join("output")).unwrap();
        let mut guarded = Command::new("sh");
        guarded
            .args(["-c", GUARD_SCRIPT, "guarded"].map(OsStr::new))
            .arg(command.get_program())
            .args(command.get_args())
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let child = guarded.spawn().unwrap();
        let mut gateway = Self { child, directory, addr };
        // Waits for at most 20 s while the process runs.
        for _ in 0..1_000 {
            if TcpStream::connect(addr).await.is_ok() {
                return gateway;
            }
            if let Some(status) = gateway.child.try_wait().unwrap() {
                panic!("{program} exited with {status}: {}", gateway.output());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{program} does not listen on {addr} after 20 s: {}", gateway.output());
    }

    /// Returns the last 4 KiB of standard output and standard error.
    pub(crate) fn output(&self) -> String {
        let output = fs::read(self.directory.path().join("output")).unwrap_or_default();
        let tail = &output[output.len().saturating_sub(4_096)..];
        String::from_utf8_lossy(tail).into_owned()
    }

    /// Returns the ID of the process group, which is the ID of its first process.
    pub(crate) fn group(&self) -> u32 {
        self.child.id()
    }

    /// Returns the path of the directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().into()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        // `wait` does not wait for the children of the process. This loop waits for at most 7 s.
        for _ in 0..700 {
            if live_processes(self.group()).is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Lists the processes of a group from `/proc`, without zombies.
pub(crate) fn live_processes(group: u32) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let entries = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
    entries
        .filter(|process| {
            // proc(5): `pid (name) state ppid pgrp …`, where the name may contain any character.
            let after_name = process.rsplit_once(')').map_or("", |(_, rest)| rest);
            let fields: Vec<_> = after_name.split_whitespace().take(3).collect();
            matches!(fields[..], [state, _, pgrp] if state != "Z" && pgrp == group.to_string())
        })
        .collect()
}
