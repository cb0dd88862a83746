//! Pins the compiler messages of common mistakes, and checks the quotes of the troubleshooting
//! pages.

use std::{env, fs, path::Path, process::Command};

/// The release that produced the pinned messages. Other releases use other words.
const PINNED_RELEASE: &str = "rustc 1.95.";

#[test]
fn compiler_messages_match_pinned_ones() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    if version.starts_with(PINNED_RELEASE.as_bytes()) {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
    } else {
        eprintln!(
            "not compared: {} is not {PINNED_RELEASE}",
            String::from_utf8_lossy(&version).trim()
        );
    }
}

#[test]
fn pages_quote_only_compiler_messages() {
    let messages: String = pinned_messages().collect();
    for quoted in quotes() {
        assert!(
            messages.lines().any(|line| matches_quote(line, &quoted)),
            "no compiler message contains: {quoted}"
        );
    }
}

#[test]
fn pages_quote_each_case() {
    let quotes: Vec<_> = quotes().collect();
    for message in pinned_messages() {
        let errors = message.lines().filter(|line| line.starts_with("error"));
        // A quote of one error is sufficient for a reader to find the fix.
        assert!(
            errors.clone().any(|line| quotes.iter().any(|quoted| matches_quote(line, quoted))),
            "on no page: {:?}",
            errors.collect::<Vec<_>>()
        );
    }
}

/// Returns true if a line contains the parts of a quote in order. `…` stands for any text.
fn matches_quote(line: &str, quoted: &str) -> bool {
    let mut rest = line;
    quoted.split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// Returns the pinned message of each case.
fn pinned_messages() -> impl Iterator<Item = String> {
    let cases = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap();
    let paths = cases.map(|case| case.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "stderr"))
        .map(|path| fs::read_to_string(path).unwrap())
}

/// Returns the lines that the pages quote.
fn quotes() -> impl Iterator<Item = String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/type_errors");
    let pages = fs::read_dir(folder).unwrap();
    let quotes: Vec<_> = pages
        .flat_map(|page| quotes_of(&fs::read_to_string(page.unwrap().path()).unwrap()))
        .collect();
    assert!(quotes.len() > 10, "{quotes:?}");
    quotes.into_iter()
}

fn quotes_of(page: &str) -> Vec<String> {
    let lines = page.lines().map(|line| line.trim_start_matches("//!").trim().to_owned());
    let lines: Vec<_> = lines.collect();
    let blocks = lines.split(|line| line == "```text").skip(1);
    blocks.flat_map(|block| block.iter().take_while(|line| *line != "```")).cloned().collect()
}
