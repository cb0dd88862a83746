//! The files in `deploy`: the unit of systemd, Prometheus's alerts and Grafana's dashboard.

mod expressions;
mod prometheus;
mod runbooks;
#[path = "../support/mod.rs"]
mod support;
mod unit;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns a path in the folder of the crate.
fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap()
}

/// Runs a command, which must succeed, and returns its output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success(), "{command:?}: {text}");
    text
}
