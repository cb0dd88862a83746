//! The compiler's words for common mistakes, pinned, and the page about them held to those.

use std::{env, fs, path::Path, process::Command};

/// The release whose words they are. Another one says the same in its own way.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn the_compiler_says_what_is_wrong() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    if version.starts_with(RELEASE.as_bytes()) {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
    } else {
        eprintln!("not compared: {} is not {RELEASE}", String::from_utf8_lossy(&version).trim());
    }
}

#[test]
fn the_page_says_what_the_compiler_says() {
    let said: String = pinned().collect();
    for quoted in quotes() {
        assert!(
            said.lines().any(|line| holds(line, &quoted)),
            "the compiler does not say: {quoted}"
        );
    }
}

#[test]
fn the_page_has_every_mistake() {
    let quotes: Vec<_> = quotes().collect();
    for said in pinned() {
        let told = said.lines().filter(|line| line.starts_with("error"));
        // Some mistakes are told in several errors, of which one is enough to find the page.
        assert!(
            told.clone().any(|line| quotes.iter().any(|quoted| holds(line, quoted))),
            "not on the page: {:?}",
            told.collect::<Vec<_>>()
        );
    }
}

/// Whether a line has the parts of a quotation, in order, whatever stands in the place of each `…`.
fn holds(line: &str, quoted: &str) -> bool {
    let mut rest = line;
    quoted.split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// What the compiler says to each case.
fn pinned() -> impl Iterator<Item = String> {
    let cases = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap();
    let paths = cases.map(|case| case.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "stderr"))
        .map(|path| fs::read_to_string(path).unwrap())
}

/// The lines that the page quotes.
fn quotes() -> impl Iterator<Item = String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/type_errors.rs");
    let page = fs::read_to_string(page).unwrap();
    let lines = page.lines().map(|line| line.trim_start_matches("//!").trim().to_owned());
    let lines: Vec<_> = lines.collect();
    let blocks = lines.split(|line| line == "```text").skip(1);
    let quotes: Vec<_> =
        blocks.flat_map(|block| block.iter().take_while(|line| *line != "```")).cloned().collect();
    assert!(quotes.len() > 10, "{quotes:?}");
    quotes.into_iter()
}
