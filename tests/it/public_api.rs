//! The crates whose types are in the public API, according to `docs/public-api*.txt`.

use std::{collections::BTreeSet, fs, path::Path};

/// Crates whose types are allowed everywhere. A new major version of one of them requires a new
/// major version of seawall.
const ALLOWED_CRATES: &[&str] = &[
    "alloc",
    "bytes",
    "core",
    "http",
    "http_body",
    "seawall",
    "seawall_core",
    "seawall_test",
    "std",
    "tower_layer",
    "tower_service",
];

/// Crates whose types are allowed only in lines with the given text.
///
/// These are modules about the crate, items behind a feature, and code of a macro.
const ALLOWED_IN_LINES_WITH: &[(&str, &[&str])] = &[
    ("seawall::hyper_util::", &["hyper", "hyper_util"]),
    ("seawall::reqwest::", &["reqwest"]),
    ("seawall_core::ReqwestError::", &["reqwest"]),
    ("seawall::tonic::", &["tonic"]),
    ("seawall::config::Config", &["schemars", "serde_core"]),
    ("core::marker::Unpin for ", &["pin_project_lite"]),
];

#[test]
fn public_api_has_only_types_of_allowed_crates() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name| fs::read_to_string(docs.join(name)).unwrap();
    let api = ["public-api.txt", "public-api-core.txt", "public-api-test.txt"].map(read).concat();
    assert!(api.lines().count() > 1_000);
    for line in api.lines() {
        let extra = ALLOWED_IN_LINES_WITH.iter().filter(|(text, _)| line.contains(text));
        let extra: BTreeSet<_> = extra.flat_map(|(_, crates)| crates.iter()).collect();
        for name in crates_in(line) {
            assert!(
                ALLOWED_CRATES.contains(&name) || extra.contains(&name),
                "type of crate `{name}` is not allowed in: {line}"
            );
        }
    }
}

#[test]
fn crate_search_finds_paths_anywhere_in_line() {
    let line = "pub fn seawall::x(&self, core::time::Duration) -> <S as tokio::io::AsyncRead>::Ok";
    let expected: Vec<_> = crates_in(line).collect();
    assert_eq!(expected, ["seawall", "core", "tokio"]);
}

/// Returns the first segments of the paths in `line`.
fn crates_in(line: &str) -> impl Iterator<Item = &str> {
    let paths = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    paths
        .filter_map(|path| path.split_once("::"))
        .map(|(first, _)| first)
        // Excludes types, type parameters and the empty segment after a `>`.
        .filter(|first| first.starts_with(|c: char| c.is_ascii_lowercase()))
}
