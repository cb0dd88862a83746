use std::{collections::BTreeSet, fs};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::*;

fn all() -> impl Iterator<Item = &'static Fingerprint> {
    let tables = [
        proxies::BY_HEAD,
        reasons::BY_HEAD,
        clouds::BY_HEAD,
        relays::BY_HEAD,
        proxies::BY_BODY,
        reasons::BY_BODY,
        clouds::BY_BODY,
        apis::BY_BODY,
        servers::BY_BODY,
        relays::BY_BODY,
        last::ROWS,
    ];
    tables.into_iter().flatten()
}

/// Each recorded answer to be recognised: status, headers, body.
fn recorded() -> Vec<(StatusCode, HeaderMap, Vec<u8>)> {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    let folders = ["gateways", "gateways-more"].map(|name| fs::read_dir(format!("{data}{name}")));
    let files = folders.into_iter().flat_map(|folder| folder.unwrap().map(|it| it.unwrap().path()));
    let files = files.filter(|file| file.extension().is_some_and(|it| it == "jsonl"));
    let lines = files.flat_map(|file| {
        fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let answers = lines.filter_map(|line| {
        let line: Value = serde_json::from_str(&line).unwrap();
        let status = u16::try_from(line["status"].as_u64()?).unwrap();
        let headers = line["headers"].as_array()?.iter().map(|pair| {
            let name = HeaderName::try_from(pair[0].as_str().unwrap()).unwrap();
            (name, pair[1].as_str().unwrap().parse().unwrap())
        });
        let body = BASE64_STANDARD.decode(line["body_base64"].as_str()?).unwrap();
        Some((StatusCode::from_u16(status).ok()?, headers.collect(), body))
    });
    answers.collect()
}

#[test]
fn every_row_that_says_it_was_recorded_is_the_first_to_hold_of_a_recording() {
    let mut met = BTreeSet::new();
    for (status, headers, body) in recorded() {
        let seen = PeekedResponse { headers: &headers, body: Some(&body), over: true, whole: true };
        let row = by_head(status, PeekedResponse { body: None, ..seen })
            .or_else(|| by_body(status, seen))
            .or_else(|| by_nothing(status, seen));
        met.extend(row.map(std::ptr::from_ref));
    }
    for row in all() {
        let Source::Recorded(_) = row.source else { continue };
        assert!(met.contains(&std::ptr::from_ref(row)), "no recording: {row:?}");
    }
}

#[test]
fn every_row_is_well_formed() {
    for row in all() {
        assert!(!row.matchers.is_empty(), "{row:?}");
        assert!(!row.note.is_empty() && !row.note.ends_with('.') && row.note.is_ascii(), "{row:?}");
        assert_ne!(row.processed, Processed::No, "{row:?}");
        if let Source::Documented(page) = row.source {
            assert!(page.starts_with("https://"), "{row:?}");
        }
        for clue in row.matchers {
            let by_head = clouds::BY_HEAD.iter().chain(reasons::BY_HEAD);
            let by_head = by_head.chain(proxies::BY_HEAD).chain(relays::BY_HEAD);
            let is_by_head = by_head.into_iter().any(|it| std::ptr::eq(it, row));
            assert!(!is_by_head || !clue.of_body(), "{row:?}");
            match clue {
                Matcher::Has(name) | Matcher::Is(name, _) | Matcher::Begins(name, _) => {
                    assert_eq!(HeaderName::from_static(name).as_str(), *name);
                }
                Matcher::BodyLacks(words) => {
                    assert!(words.iter().all(|word| *word == word.to_ascii_lowercase()));
                }
                _ => {}
            }
        }
    }
}

/// A row that an earlier one hides would never be taken.
#[test]
fn no_row_is_hidden_by_an_earlier_one_of_fewer_matchers() {
    let all: Vec<_> = all().collect();
    for (at, row) in all.iter().enumerate() {
        for earlier in &all[..at] {
            let statuses = row.statuses.iter().all(|status| earlier.statuses.contains(status));
            let statuses = earlier.statuses.is_empty() || (statuses && !row.statuses.is_empty());
            let hides = statuses
                && earlier
                    .matchers
                    .iter()
                    .all(|clue| row.matchers.iter().any(|it| implies(*it, *clue)));
            assert!(!hides, "{row:?}\nis hidden by\n{earlier:?}");
        }
    }
}

/// Whether the second holds wherever the first does.
fn implies(first: Matcher, second: Matcher) -> bool {
    match (first, second) {
        (Matcher::Is(a, _) | Matcher::Begins(a, _) | Matcher::Has(a), Matcher::Has(b))
        | (Matcher::BodyIs(a), Matcher::BodyIs(b)) => a == b,
        (Matcher::Is(a, value) | Matcher::Begins(a, value), Matcher::Begins(b, start)) => {
            a == b && value.starts_with(start)
        }
        (Matcher::Is(a, x), Matcher::Is(b, y)) => a == b && x == y,
        (
            Matcher::BodyIs(a) | Matcher::BodyBegins(a) | Matcher::BodyHolds(a),
            Matcher::BodyHolds(b),
        )
        | (Matcher::BodyBegins(a) | Matcher::JsonHolds(a), Matcher::JsonHolds(b)) => a.contains(b),
        (Matcher::BodyBegins(a), Matcher::BodyBegins(b)) => a.starts_with(b),
        _ => false,
    }
}

/// The least answer that a row asks for.
fn answer(row: &Fingerprint) -> (StatusCode, HeaderMap, String) {
    let status = row.statuses.first().copied().unwrap_or(502);
    let (mut headers, mut start, mut rest) = (HeaderMap::new(), String::new(), String::new());
    let mut set = |name: &'static str, value: &str| {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    };
    for clue in row.matchers {
        match *clue {
            Matcher::Has(name) => set(name, "1"),
            Matcher::Is(name, value) | Matcher::Begins(name, value) => set(name, value),
            Matcher::BodyIs(text) | Matcher::BodyBegins(text) => start.push_str(text),
            Matcher::BodyHolds(part) => rest.push_str(part),
            Matcher::JsonHolds(part) => {
                if start.is_empty() {
                    start.push('{');
                }
                rest.push_str(part);
            }
            Matcher::Only(_) | Matcher::BodyLacks(_) => {}
        }
    }
    (StatusCode::from_u16(status).unwrap(), headers, start + &rest)
}

/// Of those that cannot be recorded here this is all there is; of the others it shows that none is hidden by another.
#[test]
fn every_row_is_taken_for_the_least_that_it_asks_for() {
    for row in all() {
        let (status, headers, body) = answer(row);
        let nothing = PeekedResponse { headers: &headers, body: None, over: false, whole: false };
        let seen =
            PeekedResponse { body: Some(body.as_bytes()), over: true, whole: true, ..nothing };
        let taken = by_head(status, nothing)
            .or_else(|| by_body(status, seen))
            .or_else(|| by_nothing(status, seen));
        let same = |taken: &'static Fingerprint| std::ptr::eq(taken, row);
        assert!(taken.is_some_and(same), "{row:?}\nis not taken for {body:?}, but\n{taken:?}");
    }
}
