//! The measured processes.

mod tree;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The time until a process listens, also under valgrind and for Python.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// The time from SIGTERM to SIGKILL.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// A child process, which is stopped when dropped.
pub(crate) struct Process {
    child: Child,
    name: String,
    stderr: Option<PathBuf>,
}

impl Process {
    /// Starts a proxy.
    pub(crate) fn start_proxy(mut command: Command, name: &str, stderr: PathBuf) -> Self {
        let file = File::create(&stderr).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().expect("a program");
        Self { child, name: name.to_owned(), stderr: Some(stderr) }
    }

    /// Starts the origin server, and returns its address.
    pub(crate) fn start_origin(program: &Path, failing_percent: f64) -> (Self, SocketAddr) {
        let mut command = Command::new(program);
        command.arg(failing_percent.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the origin");
        let stdout = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("an address");
        let process = Self { child, name: "origin".to_owned(), stderr: None };
        (process, line.trim().parse().expect("an address"))
    }

    /// # Panics
    /// Panics if the process ended.
    pub(crate) fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("{} ended: {status}\n{}", self.name, self.standard_error());
        }
    }

    pub(crate) fn wait_until_it_listens(&mut self, address: SocketAddr) {
        for _ in 0..START_TIMEOUT.as_millis() / PAUSE.as_millis() {
            if TcpStream::connect(address).is_ok() {
                return;
            }
            self.assert_running();
            thread::sleep(PAUSE);
        }
        panic!("expected {} on {address}, found nothing\n{}", self.name, self.standard_error());
    }

    /// Returns the messages of the process.
    pub(crate) fn standard_error(&self) -> String {
        let bytes = self.stderr.as_ref().and_then(|stderr| fs::read(stderr).ok());
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Returns the CPU time of the process and its descendants, in user mode and in the kernel.
    ///
    /// A descendant that ended does not count.
    pub(crate) fn cpu_time(&self) -> Duration {
        tree::of(self.pid()).into_iter().map(tree::cpu_time).sum()
    }

    /// Returns the bytes in RAM of the process and its descendants. A shared page counts in each.
    pub(crate) fn memory(&self) -> u64 {
        tree::of(self.pid()).into_iter().map(|pid| tree::memory(pid, "VmRSS:")).sum()
    }

    /// Returns the sum of the maximum bytes in RAM of the process and its descendants.
    pub(crate) fn peak_memory(&self) -> u64 {
        tree::of(self.pid()).into_iter().map(|pid| tree::memory(pid, "VmHWM:")).sum()
    }
}

impl Drop for Process {
    /// Sends SIGTERM, and after a while SIGKILL to the process and its descendants.
    fn drop(&mut self) {
        let pids = tree::of(self.pid());
        // The process may have ended.
        let _ = kill(self.pid(), Signal::SIGTERM);
        for _ in 0..STOP_TIMEOUT.as_millis() / PAUSE.as_millis() {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(PAUSE);
        }
        for pid in pids {
            let _ = kill(pid, Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// Returns an address on which no process listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
