//! What the public API is made of, by `docs/public-api*.txt`.

use std::{collections::BTreeSet, fs, path::Path};

/// Crates whose types may be in it: a new major version of one of them means one of ours.
const CRATES: &[&str] = &[
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

/// Crates whose types may be besides in lines with these words: in a module that is about them, behind a feature, and where a
/// macro puts them.
const BESIDES: &[(&str, &[&str])] = &[
    ("seawall::hyper_util::", &["hyper", "hyper_util"]),
    ("seawall::reqwest::", &["reqwest"]),
    ("seawall_core::ReqwestError::", &["reqwest"]),
    ("seawall::tonic::", &["tonic"]),
    ("seawall::config::Config", &["schemars", "serde_core"]),
    ("core::marker::Unpin for ", &["pin_project_lite"]),
];

#[test]
fn no_types_of_other_crates_are_in_the_public_api() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name| fs::read_to_string(docs.join(name)).unwrap();
    let api = ["public-api.txt", "public-api-core.txt", "public-api-test.txt"].map(read).concat();
    assert!(api.lines().count() > 1_000);
    for line in api.lines() {
        let more = BESIDES.iter().filter(|(words, _)| line.contains(words));
        let more: BTreeSet<_> = more.flat_map(|(_, crates)| crates.iter()).collect();
        for name in crates_in(line) {
            assert!(CRATES.contains(&name) || more.contains(&name), "{name}: {line}");
        }
    }
}

#[test]
fn the_search_for_crates_sees_paths_wherever_they_begin() {
    let line = "pub fn seawall::x(&self, core::time::Duration) -> <S as tokio::io::AsyncRead>::Ok";
    let expected: Vec<_> = crates_in(line).collect();
    assert_eq!(expected, ["seawall", "core", "tokio"]);
}

/// The first segments of the paths in a line.
fn crates_in(line: &str) -> impl Iterator<Item = &str> {
    let paths = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    paths
        .filter_map(|path| path.split_once("::"))
        .map(|(first, _)| first)
        // What follows a `>` begins with the colons; a type or a parameter is no crate.
        .filter(|first| first.starts_with(|c: char| c.is_ascii_lowercase()))
}
