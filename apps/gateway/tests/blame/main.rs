//! Failures are attributed to their source: to callers, to upstreams, or to ports that are not HTTP.

#[path = "../support/mod.rs"]
mod support;

mod broken_upload;
mod caller;
mod large_body;
mod origin;
mod repetitions;
mod slow_upload;
mod speaks_first;

use std::{fs, thread, time::Duration};

use support::GatewayProcess;
use tempfile::NamedTempFile;

/// Only prevents that a failing test hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// Starts a gateway with the service `m0`, which balances over the upstreams.
fn gateway(policy: &str, upstreams: &[&str]) -> GatewayProcess {
    gateway_with_services(1, policy, upstreams)
}

/// Starts a gateway with the services `m0`, `m1` and so on, which share nothing but the upstreams.
fn gateway_with_services(number: usize, policy: &str, upstreams: &[&str]) -> GatewayProcess {
    let upstream = |url: &&str| format!("[[service.upstream]]\nurl = \"{url}\"\n");
    let upstreams: String = upstreams.iter().map(upstream).collect();
    let service = |number| format!("[[service]]\nname = \"m{number}\"\n{upstreams}");
    let services: String = (0..number).map(service).collect();
    let config = format!("[policy]\n{policy}\n{services}");
    let file = NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), config).unwrap();
    // The file is read before the gateway prints its address.
    GatewayProcess::start(&["--config", file.path().to_str().unwrap()])
}

/// Waits for an event that no peer reports.
fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..LIMIT.as_millis() {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the expected event did not happen");
}
