//! The program as its user meets it.

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

fn figures(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("storm.json")).unwrap()).unwrap()
}

#[test]
fn what_there_is_not_is_said_in_one_line_with_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (["--scenario", "hurricane"], "there are random, down, silent, brownout"),
        (["--stack", "sandbags"], "there are none, naive, tower"),
        (["--seed", "many"], "invalid digit"),
        (["--check", "--list"], "cannot be used"),
    ] {
        let output = storm(&arguments, folder.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = text(&output.stderr);
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(said), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_folder_that_cannot_be_is_said_in_one_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = storm(&["--scenario", "stale", "--stack", "none"], &file.path().join("folder"));
    assert_eq!(output.status.code(), Some(1));
    let last = text(&output.stderr).lines().last().unwrap();
    assert!(last.starts_with("cannot write to "), "{last}");
}

#[test]
fn the_list_names_each_scenario_and_stack() {
    let output = storm(&["--list"], Path::new("unused"));
    assert!(output.status.success());
    let list = text(&output.stdout);
    for name in ["brownout", "ratelimit", "seawall-adaptive", "no-budget", "failsafe"] {
        assert!(list.lines().any(|line| line.trim_start().starts_with(name)), "{name}");
    }
}

#[test]
fn the_same_seed_makes_the_same_storm_and_another_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let run = |seed: &str| {
        let stacks = ["seawall-adaptive", "tower", "resilience", "failsafe"];
        let stacks = stacks.iter().flat_map(|name| ["--stack", name]);
        let arguments: Vec<&str> =
            ["--scenario", "stale", "--seed", seed].into_iter().chain(stacks).collect();
        let output = storm(&arguments, folder.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        figures(folder.path())
    };
    let first = run("7");
    assert_eq!(first.as_array().unwrap().len(), 4);
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
}

#[test]
fn a_run_leaves_figures_a_table_and_pictures_that_are_small() {
    let folder = tempfile::tempdir().unwrap();
    let output = storm(&["--scenario", "stale", "--stack", "seawall"], folder.path());
    assert!(text(&output.stdout).contains("| seawall |"));
    let figures = &figures(folder.path())[0]["figures"];
    let calls = figures["calls"].as_u64().unwrap();
    // Open loop: 48 s of 1,000 calls a second, whatever becomes of them.
    assert!((47_000..49_000).contains(&calls), "{calls}");
    let answered: u64 =
        figures["answered"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(answered, calls - figures["failed"].as_u64().unwrap());
    let svg = std::fs::read_to_string(folder.path().join("stale.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.len() < 60_000);
    let png = std::fs::read(folder.path().join("stale.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}
