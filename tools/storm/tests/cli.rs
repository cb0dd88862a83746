//! The program's output and exit codes.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn storm(arguments: &[&str], out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storm"));
    command.args(arguments).arg("--out").arg(out).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn read_metrics(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("storm.json")).unwrap()).unwrap()
}

#[test]
fn usage_error_is_one_line_that_lists_valid_names() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, message) in [
        (["--scenario", "hurricane"], "expected one of random, down, silent, brownout"),
        (["--stack", "sandbags"], "expected one of none, naive, tower"),
        (["--seed", "many"], "invalid digit"),
        (["--check", "--list"], "cannot be used"),
    ] {
        let output = storm(&arguments, folder.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = text(&output.stderr);
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(message), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn unwritable_output_folder_is_reported_in_one_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = storm(&["--scenario", "stale", "--stack", "none"], &file.path().join("folder"));
    assert_eq!(output.status.code(), Some(1));
    let last = text(&output.stderr).lines().last().unwrap();
    assert!(last.starts_with("cannot write to "), "{last}");
}

#[test]
fn list_names_scenarios_and_stacks() {
    let output = storm(&["--list"], Path::new("unused"));
    assert!(output.status.success());
    let list = text(&output.stdout);
    for name in ["brownout", "ratelimit", "seawall-adaptive", "no-budget", "failsafe"] {
        assert!(list.lines().any(|line| line.trim_start().starts_with(name)), "{name}");
    }
}

#[test]
fn seed_determines_results() {
    let folder = tempfile::tempdir().unwrap();
    let run = |seed: &str| {
        let stacks = ["seawall-adaptive", "tower", "resilience", "failsafe"];
        let stacks = stacks.iter().flat_map(|name| ["--stack", name]);
        let arguments: Vec<&str> =
            ["--scenario", "stale", "--seed", seed].into_iter().chain(stacks).collect();
        let output = storm(&arguments, folder.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        read_metrics(folder.path())
    };
    let first = run("7");
    assert_eq!(first.as_array().unwrap().len(), 4);
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
}

#[test]
fn run_writes_table_metrics_and_small_plots() {
    let folder = tempfile::tempdir().unwrap();
    let output = storm(&["--scenario", "stale", "--stack", "seawall"], folder.path());
    assert!(text(&output.stdout).contains("| seawall |"));
    let metrics = &read_metrics(folder.path())[0]["metrics"];
    let calls = metrics["calls"].as_u64().unwrap();
    // The load is independent of the outcomes: 48 s with 1,000 calls per second.
    assert!((47_000..49_000).contains(&calls), "{calls}");
    let successes: u64 =
        metrics["successes"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(successes, calls - metrics["failed"].as_u64().unwrap());
    let svg = std::fs::read_to_string(folder.path().join("stale.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.len() < 60_000);
    let png = std::fs::read(folder.path().join("stale.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}
