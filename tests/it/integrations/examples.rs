//! Size and content of the examples.

use std::{fs, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Returns the lines that are neither empty nor comments.
fn code_lines(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
}

/// Counts the lines that an existing client needs in addition: those that name this crate, tower or
/// their items.
#[test]
fn hello_example_adds_at_most_twelve_lines_to_client() {
    let source = fs::read_to_string(folder().join("hello.rs")).unwrap();
    let lines = code_lines(&source);
    let names = ["seawall", "tower", "StandardLayer", "ServiceBuilder", "oneshot"];
    let added_lines: Vec<_> =
        lines.iter().filter(|line| names.iter().any(|name| line.contains(name))).collect();
    assert!((1..=12).contains(&added_lines.len()), "{added_lines:#?}");
    // Includes the upstream and the checks.
    assert!(lines.len() <= 24, "expected at most 24 lines, found {}", lines.len());
    for forbidden in ["::<", "Box::", "BoxService", "BoxClone", "HandleError", "map_err", "dyn Fn"]
    {
        assert!(!source.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn each_example_has_few_lines_and_no_boxes() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect();
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        assert!(source.lines().count() < 80, "{}", file.display());
        for forbidden in ["Box::", "BoxService", "BoxClone", "HandleError"] {
            assert!(!source.contains(forbidden), "{}: {forbidden}", file.display());
        }
    }
}

/// The gate finds the examples by their files.
#[test]
fn gate_runs_each_example() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let gate = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(gate.contains("for file in examples/*.rs"));
    assert!(gate.contains("\nstep 'examples' examples\n"));
}
