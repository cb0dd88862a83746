//! What the examples promise of themselves.

use std::{fs, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The lines that are neither empty nor comments.
fn code(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
}

/// What it takes beyond a client that one has: the lines that name this crate or tower, or what comes from there.
#[test]
fn a_client_survives_a_flaky_upstream_by_at_most_twelve_lines_more() {
    let source = fs::read_to_string(folder().join("hello.rs")).unwrap();
    let lines = code(&source);
    let ours = ["seawall", "tower", "StandardLayer", "ServiceBuilder", "oneshot"];
    let more: Vec<_> =
        lines.iter().filter(|line| ours.iter().any(|name| line.contains(name))).collect();
    assert!((1..=12).contains(&more.len()), "{more:#?}");
    // Even the whole of it, upstream and checks included, is short.
    assert!(lines.len() <= 24, "{} lines", lines.len());
    for hurts in ["::<", "Box::", "BoxService", "BoxClone", "HandleError", "map_err", "dyn Fn"] {
        assert!(!source.contains(hurts), "{hurts}");
    }
}

#[test]
fn every_example_is_below_eighty_lines_and_needs_no_box_and_no_handle_error() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect();
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        assert!(source.lines().count() < 80, "{}", file.display());
        for hurts in ["Box::", "BoxService", "BoxClone", "HandleError"] {
            assert!(!source.contains(hurts), "{}: {hurts}", file.display());
        }
    }
}

/// The gate runs them by their files.
#[test]
fn the_gate_runs_every_example() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let gate = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(gate.contains("for file in examples/*.rs"));
    assert!(gate.contains("\nstep 'examples' examples\n"));
}
