//! Spellings of a URL that select the same route (RFC 3986 §6.2.2).

use http::Uri;
use proptest::prelude::*;

use super::{
    prefixes::{assert_route, routes},
    *,
};

const V1: Option<&str> = Some("https://api.example.com/v1");

#[test]
fn route_matches_when_path_is_encoded_or_has_dot_segments() {
    let config = routes(&["https://api.example.com/v1"]);
    for path in [
        "/%76%31",
        "/v%31/users",
        "/%7631",
        "//v1",
        "///v1//",
        "/./v1",
        "/v1/.",
        "/v1/users/..",
        "/x/../v1",
        "/x/%2e%2E/v1",
        "/x/.%2e/%2e/v1",
        "/x//../v1",
        "/../../v1",
        "/v1/..a",
        "/v1/.a",
        "/v1%2Fx/../v1",
        "/v1/%",
        "/v1/%2",
        "/v1/%zz/",
    ] {
        let expected = if path == "/%7631" { None } else { V1 };
        assert_route(&config, &format!("https://api.example.com{path}"), expected);
    }
    for path in
        ["/", "/v1/..", "/v1/../", "/v1/%2e%2e/x", "/v1%2F", "/v1%2fx", "/v1%25", "/v1.", "/V1"]
    {
        assert_route(&config, &format!("https://api.example.com{path}"), None);
    }
}

#[test]
fn route_matches_when_prefix_is_encoded() {
    let config = routes(&[
        "https://a/%7eme/%e2%82%ac",
        "https://b//x/.././v1/",
        "https://c/a%2fb",
        "https://d/%",
        "https://e/x/..",
    ]);
    let prefixes: Vec<_> = config.prefixes().collect();
    let normal = [
        "https://a/~me/%E2%82%AC",
        "https://b/v1",
        "https://c/a%2Fb",
        "https://d/%25",
        "https://e",
    ];
    assert_eq!(prefixes, normal);
    assert_route(&config, "https://a/~me/€/x", Some(normal[0]));
    assert_route(&config, "https://a/%7Eme/%E2%82%ac", Some(normal[0]));
    assert_route(&config, "https://b/v1", Some(normal[1]));
    assert_route(&config, "https://c/a%2Fb", Some(normal[2]));
    assert_route(&config, "https://c/a/b", None);
    assert_route(&config, "https://d/%", Some(normal[3]));
    assert_route(&config, "https://d/%25", Some(normal[3]));
    assert_route(&config, "https://e/any", Some(normal[4]));
}

#[test]
fn route_matches_when_host_has_trailing_dot() {
    let config = routes(&["https://api.example.com/v1", "http://b.:8080", "http://[::1]"]);
    let prefixes: Vec<_> = config.prefixes().collect();
    assert_eq!(prefixes, ["https://api.example.com/v1", "http://b:8080", "http://[::1]"]);
    assert_route(&config, "https://api.example.com./v1", V1);
    assert_route(&config, "https://API.example.com.:443/v1", V1);
    assert_route(&config, "https://user:@api.example.com.:/v1", V1);
    assert_route(&config, "http://b:8080/", Some("http://b:8080"));
    assert_route(&config, "http://b.:8080/", Some("http://b:8080"));
    assert_route(&config, "http://[::1]:80/", Some("http://[::1]"));
    for uri in ["https://api.example.com../v1", "https://.api.example.com/v1", "http://b.:8081/"] {
        assert_route(&config, uri, None);
    }
}

#[test]
fn config_rejects_prefixes_that_are_spellings_of_one_url() {
    for other in
        ["https://a/%76", "https://a//v", "https://a./v/", "https://a/x/../v", "https://a/./v"]
    {
        let text = format!("[[route]]\nprefix = \"https://a/v\"\n[[route]]\nprefix = \"{other}\"");
        let message = invalid_config(&text).to_string();
        assert!(message.contains("duplicate prefix"), "{message}");
    }
    invalid_config("[[route]]\nprefix = \"https://./\"");
}

/// Pieces of a path, and their normal forms.
const PIECES: [(&str, &str); 15] = [
    ("/", "/"),
    ("//", "/"),
    ("a", "a"),
    ("%61", "a"),
    ("~", "~"),
    ("%7e", "~"),
    (".", "."),
    ("..", ".."),
    ("/../", "/../"),
    ("%2e", "."),
    ("%2E", "."),
    ("%2f", "%2F"),
    ("%25", "%25"),
    ("%;", "%25;"),
    ("€", "%E2%82%AC"),
];

fn path() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9)
}

fn spelling(path: &[(&str, &str)]) -> String {
    path.iter().map(|(spelling, _)| *spelling).collect()
}

/// Reference implementation.
fn naive_segments(path: &[(&str, &str)]) -> Vec<String> {
    let normal: String = path.iter().map(|(_, normal)| *normal).collect();
    let mut segments: Vec<String> = normal.split('/').map(Into::into).collect();
    segments.retain(|segment| !segment.is_empty() && segment != ".");
    while let Some(at) = segments.iter().position(|segment| segment == "..") {
        segments.drain(at.saturating_sub(1)..=at);
    }
    segments
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn config_selects_same_route_as_naive_normalization(
        prefixes in prop::collection::vec(path(), 1..5),
        paths in prop::collection::vec(path(), 1..20),
    ) {
        let mut distinct: Vec<Vec<String>> = Vec::new();
        let mut texts = Vec::new();
        for prefix in &prefixes {
            let segments = naive_segments(prefix);
            if !distinct.contains(&segments) {
                texts.push(format!("http://h/{}", spelling(prefix)));
                distinct.push(segments);
            }
        }
        let config = routes(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        for path in &paths {
            let uri: Uri = format!("http://h/{}", spelling(path)).parse().unwrap();
            let segments = naive_segments(path);
            let matching = distinct.iter().filter(|prefix| segments.starts_with(prefix));
            let expected = matching.max_by_key(|prefix| prefix.len());
            let expected = expected.map(|prefix| {
                prefix.iter().fold("http://h".to_owned(), |url, segment| format!("{url}/{segment}"))
            });
            prop_assert_eq!(config.prefix_of(&uri), expected, "{}", uri);
        }
    }
}
