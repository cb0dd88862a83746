//! Runs the program.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seawall-diagnose"));
    command.args(arguments).stdin(Stdio::null()).env_remove("COLUMNS");
    command
}

/// Runs the program off the runtime's thread, which drives the servers.
pub(crate) async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Returns the text of a failed diagnosis.
pub(crate) async fn text(arguments: &[&str]) -> String {
    let output = run(command(arguments)).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(1), &b""[..]), "{text}");
    text
}

/// Returns the JSON of a failed diagnosis.
pub(crate) async fn json(arguments: &[&str]) -> Value {
    let text = text(&[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&text).unwrap()
}

/// Returns the detail of the last step.
pub(crate) fn last_detail(report: &Value) -> &str {
    report["steps"].as_array().unwrap().last().unwrap()["detail"].as_str().unwrap()
}
