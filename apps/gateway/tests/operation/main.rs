//! What the gateway shows to the people who run it: the log, `/status` and metrics.

mod attributes;
mod json_log;
mod log_output;
mod one_line;
mod refusals;
mod reload;
mod request_id;
mod start;
mod status;
#[path = "../support/mod.rs"]
mod support;

use std::fs;

use scripted_origin::{Origin, Script};
use serde_json::Value;
use support::GatewayProcess;
use tempfile::NamedTempFile;

/// Writes a temporary file, deleted on drop.
fn config_file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

/// Parses a log in which each line is a JSON object.
fn json_lines(log: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    log.lines().map(parse).collect()
}

async fn gateway_with(script: Script, arguments: &[&str]) -> (Origin, GatewayProcess) {
    let origin = Origin::start(script).await.unwrap();
    let upstream = format!("x=http://{}", origin.addr());
    let gateway = GatewayProcess::start(&[&["--upstream", &upstream], arguments].concat());
    (origin, gateway)
}
