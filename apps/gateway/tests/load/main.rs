//! The gateway under load: many requests, callers and reloads. Nothing is lost, and memory is
//! bounded.

mod barrier_upstreams;
mod concurrent_requests;
mod idle_callers;
mod reloads;
mod shutdown;
mod stalled_uploads;
#[path = "../support/mod.rs"]
mod support;
mod viewers;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use support::GatewayProcess;

/// The maximum wait for a reply, which is long because it decides nothing.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts a gateway with a configuration file, which lasts as long as the returned value.
fn gateway(config: &str) -> (GatewayProcess, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), config).unwrap();
    // An unread pipe would fill up and block the gateway.
    let variables = [("RUST_LOG", "off")];
    let arguments = ["--config", file.path().to_str().unwrap()];
    (GatewayProcess::start_with_env(&arguments, &variables), file)
}

/// Opens a connection and sends `bytes`.
fn open(gateway: &GatewayProcess, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(REPLY_TIMEOUT)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// Returns the status of the next response. Reads its head and a part of its body.
fn read_status(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    let mut bytes = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut bytes).unwrap();
        assert_ne!(count, 0, "closed after {:?}", String::from_utf8_lossy(&head));
        head.extend_from_slice(&bytes[..count]);
    }
    std::str::from_utf8(&head[9..12]).unwrap().parse().unwrap()
}

/// Returns the resident memory of a process in KiB.
fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
