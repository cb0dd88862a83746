use std::{collections::BTreeSet, fs};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::*;

fn all_fingerprints() -> impl Iterator<Item = &'static Fingerprint> {
    BY_HEAD.iter().chain(BY_BODY).chain([&fallback::BY_BODY]).copied().flatten()
}

/// Returns the status, headers and body of each recorded response.
fn recordings() -> Vec<(StatusCode, HeaderMap, Vec<u8>)> {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/");
    let folders = ["gateways", "gateways-more"].map(|name| fs::read_dir(format!("{data}{name}")));
    let files = folders.into_iter().flat_map(|folder| folder.unwrap().map(|it| it.unwrap().path()));
    let files = files.filter(|file| file.extension().is_some_and(|it| it == "jsonl"));
    let lines = files.flat_map(|file| {
        fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let responses = lines.filter_map(|line| {
        let line: Value = serde_json::from_str(&line).unwrap();
        let status = u16::try_from(line["status"].as_u64()?).unwrap();
        let headers = line["headers"].as_array()?.iter().map(|pair| {
            let name = HeaderName::try_from(pair[0].as_str().unwrap()).unwrap();
            (name, pair[1].as_str().unwrap().parse().unwrap())
        });
        let body = BASE64_STANDARD.decode(line["body_base64"].as_str()?).unwrap();
        Some((StatusCode::from_u16(status).ok()?, headers.collect(), body))
    });
    responses.collect()
}

#[test]
fn each_recorded_fingerprint_wins_for_a_recording() {
    let mut matched = BTreeSet::new();
    for (status, headers, body) in recordings() {
        let complete = PeekedResponse {
            headers: &headers,
            body: Some(&body),
            is_last_read: true,
            is_complete: true,
        };
        let fingerprint = find_by_head(status, PeekedResponse { body: None, ..complete })
            .or_else(|| find_by_body(status, complete))
            .or_else(|| find_fallback(status, complete));
        matched.extend(fingerprint.map(std::ptr::from_ref));
    }
    for fingerprint in all_fingerprints() {
        let Reference::Recorded(_) = fingerprint.reference else { continue };
        assert!(
            matched.contains(&std::ptr::from_ref(fingerprint)),
            "no recorded response has {fingerprint:?} as its first match"
        );
    }
}

#[test]
fn fingerprint_is_well_formed() {
    for fingerprint in all_fingerprints() {
        assert!(!fingerprint.matchers.is_empty(), "{fingerprint:?}");
        assert!(
            !fingerprint.summary.is_empty()
                && !fingerprint.summary.ends_with('.')
                && fingerprint.summary.is_ascii(),
            "{fingerprint:?}"
        );
        assert_ne!(fingerprint.processed, Processed::No, "{fingerprint:?}");
        if let Reference::Documented(page) = fingerprint.reference {
            assert!(page.starts_with("https://"), "{fingerprint:?}");
        }
        for matcher in fingerprint.matchers {
            let mut by_head = BY_HEAD.iter().copied().flatten();
            let is_by_head = by_head.any(|it| std::ptr::eq(it, fingerprint));
            assert!(!is_by_head || !matcher.examines_body(), "{fingerprint:?}");
            match matcher {
                Matcher::HeaderPresent(name)
                | Matcher::HeaderEquals(name, _)
                | Matcher::HeaderPrefix(name, _) => {
                    assert_eq!(HeaderName::from_static(name).as_str(), *name);
                }
                Matcher::BodyContainsNone(words) => {
                    assert!(words.iter().all(|word| *word == word.to_ascii_lowercase()));
                }
                _ => {}
            }
        }
    }
}

/// A fingerprint would never match if an earlier one had a subset of its conditions.
#[test]
fn earlier_fingerprint_does_not_hide_later_one() {
    let fingerprints: Vec<_> = all_fingerprints().collect();
    for (index, fingerprint) in fingerprints.iter().enumerate() {
        for earlier in &fingerprints[..index] {
            let statuses_are_subset =
                fingerprint.statuses.iter().all(|status| earlier.statuses.contains(status));
            // An empty list matches any status.
            let covers_statuses = earlier.statuses.is_empty()
                || (statuses_are_subset && !fingerprint.statuses.is_empty());
            let hides = covers_statuses
                && earlier
                    .matchers
                    .iter()
                    .all(|matcher| fingerprint.matchers.iter().any(|it| implies(*it, *matcher)));
            assert!(!hides, "{fingerprint:?}\nis hidden by\n{earlier:?}");
        }
    }
}

/// Returns whether `second` matches every response that `first` matches.
fn implies(first: Matcher, second: Matcher) -> bool {
    match (first, second) {
        (
            Matcher::HeaderEquals(a, _) | Matcher::HeaderPrefix(a, _) | Matcher::HeaderPresent(a),
            Matcher::HeaderPresent(b),
        )
        | (Matcher::BodyEquals(a), Matcher::BodyEquals(b)) => a == b,
        (
            Matcher::HeaderEquals(a, value) | Matcher::HeaderPrefix(a, value),
            Matcher::HeaderPrefix(b, prefix),
        ) => a == b && value.starts_with(prefix),
        (Matcher::HeaderEquals(a, x), Matcher::HeaderEquals(b, y)) => a == b && x == y,
        (
            Matcher::BodyEquals(a) | Matcher::BodyPrefix(a) | Matcher::BodyContains(a),
            Matcher::BodyContains(b),
        )
        | (Matcher::BodyPrefix(a) | Matcher::JsonContains(a), Matcher::JsonContains(b)) => {
            a.contains(b)
        }
        (Matcher::BodyPrefix(a), Matcher::BodyPrefix(b)) => a.starts_with(b),
        _ => false,
    }
}

/// Returns the minimal response that matches a fingerprint.
fn minimal_response(fingerprint: &Fingerprint) -> (StatusCode, HeaderMap, String) {
    let status = fingerprint.statuses.first().copied().unwrap_or(502);
    let (mut headers, mut prefix, mut rest) = (HeaderMap::new(), String::new(), String::new());
    let mut set = |name: &'static str, value: &str| {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    };
    for matcher in fingerprint.matchers {
        match *matcher {
            Matcher::HeaderPresent(name) => set(name, "1"),
            Matcher::HeaderEquals(name, value) | Matcher::HeaderPrefix(name, value) => {
                set(name, value);
            }
            Matcher::BodyEquals(text) | Matcher::BodyPrefix(text) => prefix.push_str(text),
            Matcher::BodyContains(part) => rest.push_str(part),
            Matcher::JsonContains(part) => {
                if prefix.is_empty() {
                    prefix.push('{');
                }
                rest.push_str(part);
            }
            Matcher::NoOtherHeaders(_) | Matcher::BodyContainsNone(_) => {}
        }
    }
    (StatusCode::from_u16(status).unwrap(), headers, prefix + &rest)
}

/// This is the only test of the fingerprints of products whose responses we cannot record.
#[test]
fn minimal_response_matches_its_fingerprint() {
    for fingerprint in all_fingerprints() {
        let (status, headers, body) = minimal_response(fingerprint);
        let head = PeekedResponse {
            headers: &headers,
            body: None,
            is_last_read: false,
            is_complete: false,
        };
        let complete = PeekedResponse {
            body: Some(body.as_bytes()),
            is_last_read: true,
            is_complete: true,
            ..head
        };
        let found = find_by_head(status, head)
            .or_else(|| find_by_body(status, complete))
            .or_else(|| find_fallback(status, complete));
        let is_same = |found: &'static Fingerprint| std::ptr::eq(found, fingerprint);
        assert!(
            found.is_some_and(is_same),
            "expected {fingerprint:?}\nfor {body:?}, found\n{found:?}"
        );
    }
}
