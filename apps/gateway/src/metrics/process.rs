//! The metrics of the process, with the names that Prometheus's client libraries use. Linux only.

/// Describes the metrics to the recorder.
#[cfg(target_os = "linux")]
pub(super) fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge};
    describe_gauge!("process_open_fds", Unit::Count, "Open file descriptors");
    describe_gauge!("process_max_fds", Unit::Count, "Maximum number of open file descriptors");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Resident memory");
    describe_counter!("process_cpu_seconds_total", Unit::Seconds, "CPU time of user and system");
}

/// Reads the values from `/proc/self`. A value that cannot be read stays as it is.
#[cfg(target_os = "linux")]
pub(super) fn record() {
    use metrics::{counter, gauge};
    use procfs::process::{LimitValue, Process};
    let Ok(process) = Process::myself() else { return };
    if let Ok(count) = process.fd_count() {
        gauge!("process_open_fds").set(count as f64);
    }
    if let Ok(limits) = process.limits()
        && let LimitValue::Value(max) = limits.max_open_files.soft_limit
    {
        gauge!("process_max_fds").set(max as f64);
    }
    if let Ok(stat) = process.stat() {
        gauge!("process_resident_memory_bytes").set((stat.rss * procfs::page_size()) as f64);
        let ticks = stat.utime + stat.stime;
        counter!("process_cpu_seconds_total").absolute(ticks / procfs::ticks_per_second().max(1));
    }
}

/// Does nothing, because there is no `/proc/self`.
#[cfg(not(target_os = "linux"))]
pub(super) fn describe() {}

/// Does nothing, because there is no `/proc/self`.
#[cfg(not(target_os = "linux"))]
pub(super) fn record() {}
