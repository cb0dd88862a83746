//! The processes below a process, and their clocks and memory.

use std::{fs, time::Duration};

use nix::{
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

/// Returns the process and its descendants.
pub(super) fn of(pid: Pid) -> Vec<Pid> {
    let children = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|pids| pids.split(' ').filter_map(parse_pid).collect::<Vec<_>>());
    [pid].into_iter().chain(children.flat_map(of)).collect()
}

fn parse_pid(pid: &str) -> Option<Pid> {
    pid.parse().ok().map(Pid::from_raw)
}

/// Reads the CPU-time clock, because the times in `/proc` have a unit of 10 ms.
pub(super) fn cpu_time(pid: Pid) -> Duration {
    let clock = clock_getcpuclockid(pid).expect("a running process");
    clock_gettime(clock).expect("a running process").into()
}

/// Returns the bytes of a line in `/proc/PID/status`.
pub(super) fn memory(pid: Pid, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let value = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
    let kibibytes = value.trim().trim_end_matches(" kB");
    kibibytes.parse::<u64>().expect("a number") * 1024
}
