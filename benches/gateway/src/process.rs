//! The measured processes.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    ops::Add,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

/// The time until a process listens, also under valgrind.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A child process, which is killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a proxy, and waits until it listens.
    pub(crate) fn start_proxy(mut command: Command, address: SocketAddr, log: Stdio) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut process = Self(command.spawn().expect("a program"));
        let pause = Duration::from_millis(20);
        for _ in 0..START_TIMEOUT.as_millis() / pause.as_millis() {
            if TcpStream::connect(address).is_ok() {
                return process;
            }
            if let Ok(Some(status)) = process.0.try_wait() {
                panic!("expected a server, but it ended: {status}: {command:?}");
            }
            thread::sleep(pause);
        }
        panic!("expected a server on {address}, found none: {command:?}");
    }

    /// Starts the origin server, and returns its address.
    pub(crate) fn start_origin(program: &Path, failing_percent: f64) -> (Self, SocketAddr) {
        let mut command = Command::new(program);
        command.arg(failing_percent.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the origin");
        let stdout = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("an address");
        (Self(child), line.trim().parse().expect("an address"))
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }

    /// Returns the CPU time of the process and its descendants, in user mode and in the kernel.
    ///
    /// A descendant that ended does not count.
    pub(crate) fn cpu_time(&self) -> Duration {
        cpu_time_of_tree(self.pid())
    }

    /// Sends SIGTERM, and waits for the end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        kill(self.pid(), Signal::SIGTERM).expect("a running process");
        self.0.wait().expect("a child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the CPU-time clock of each process, because the times in `/proc` have a unit of 10 ms.
fn cpu_time_of_tree(pid: Pid) -> Duration {
    let clock = clock_getcpuclockid(pid).expect("a running process");
    let own = clock_gettime(clock).expect("a running process").into();
    let children: Vec<Pid> = fs::read_dir(format!("/proc/{pid}/task"))
        .expect("a running process")
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|pids| pids.split(' ').filter_map(parse_pid).collect::<Vec<_>>())
        .collect();
    children.into_iter().map(cpu_time_of_tree).fold(own, Add::add)
}

fn parse_pid(pid: &str) -> Option<Pid> {
    pid.parse().ok().map(Pid::from_raw)
}

/// Returns an address on which no process listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
