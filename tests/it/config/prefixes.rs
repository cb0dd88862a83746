//! The route that a configuration selects for a URL.

use http::Uri;
use proptest::prelude::*;

use super::*;

pub(super) fn routes(prefixes: &[&str]) -> Config {
    let route = |prefix: &&str| format!("[[route]]\nprefix = \"{prefix}\"\n");
    config(&prefixes.iter().map(route).collect::<String>())
}

#[track_caller]
pub(super) fn assert_route(config: &Config, uri: &str, expected: Option<&str>) {
    let uri: Uri = uri.parse().unwrap();
    assert_eq!(config.prefix_of(&uri).as_deref(), expected, "{uri}");
}

#[test]
fn config_selects_longest_prefix_in_any_order() {
    let config = routes(&[
        "https://",
        "https://api.example.com/v1/users",
        "https://api.example.com",
        "https://api.example.com/v1",
    ]);
    assert_route(&config, "https://other.example.com/", Some("https://"));
    assert_route(&config, "https://api.example.com", Some("https://api.example.com"));
    assert_route(&config, "https://api.example.com/v2", Some("https://api.example.com"));
    assert_route(&config, "https://api.example.com/v1", Some("https://api.example.com/v1"));
    assert_route(&config, "https://api.example.com/v1/user", Some("https://api.example.com/v1"));
    assert_route(
        &config,
        "https://api.example.com/v1/users/7",
        Some("https://api.example.com/v1/users"),
    );
    assert_route(&config, "http://api.example.com/v1", None);
}

#[test]
fn prefix_matches_whole_url_components() {
    let config = routes(&["https://api", "https://api/v1"]);
    assert_route(&config, "https://api.evil.com/", None);
    assert_route(&config, "https://apix/", None);
    assert_route(&config, "https://api:8443/", None);
    assert_route(&config, "https://api@evil.com/", None);
    assert_route(&config, "https://evil.com/https://api/v1", None);
    assert_route(&config, "https://api/v10", Some("https://api"));
    assert_route(&config, "https://api/v1%2Fx", Some("https://api"));
    assert_route(&config, "https://api/v1?page=2", Some("https://api/v1"));
    assert_route(&config, "https://api/v1/", Some("https://api/v1"));
    assert_route(&config, "https://api/v1//x", Some("https://api/v1"));
}

#[test]
fn prefix_matches_equivalent_url_spellings() {
    let config = routes(&["HTTPS://API.Example.com:443/v1/", "http://[::1]:80", "grpc://X:443"]);
    let prefixes: Vec<_> = config.prefixes().collect();
    assert_eq!(prefixes, ["https://api.example.com/v1", "http://[::1]", "grpc://x:443"]);
    assert_route(&config, "https://api.EXAMPLE.com/v1/x", Some("https://api.example.com/v1"));
    assert_route(
        &config,
        "HTTPS://user:secret@api.example.com:443/v1",
        Some("https://api.example.com/v1"),
    );
    assert_route(&config, "http://[::1]/", Some("http://[::1]"));
    assert_route(&config, "GRPC://x:443/y", Some("grpc://x:443"));
    // RFC 3986 §6.2.3: an empty port means the default port, and leading zeros are ignored.
    assert_route(&config, "https://api.example.com:/v1", Some("https://api.example.com/v1"));
    assert_route(&config, "https://api.example.com:00443/v1", Some("https://api.example.com/v1"));
    assert_route(&config, "https://user:@api.example.com:/v1", Some("https://api.example.com/v1"));
    assert_route(&config, "http://[::1]:/", Some("http://[::1]"));
    assert_route(&config, "GRPC://x:0443/y", Some("grpc://x:443"));
    // A server may treat these paths as different.
    assert_route(&config, "https://api.example.com/V1", None);
}

#[test]
fn config_rejects_prefix_when_no_url_matches() {
    for prefix in ["://", "1x://", "https://*", "https://*.example.com", "https://a:*"] {
        invalid_config(&format!("[[route]]\nprefix = \"{prefix}\""));
    }
}

#[test]
fn config_error_hides_password_in_prefix() {
    for prefix in ["https://me:hunter2@a/", "https://me:hunter2@", "me:hunter2@a", "x://hunt@er2@a"]
    {
        let message = invalid_config(&format!("[[route]]\nprefix = \"{prefix}\"")).to_string();
        assert!(!message.contains("hunt") && message.contains("REDACTED@"), "{message}");
    }
}

#[test]
fn config_error_hides_query_and_fragment_of_prefix() {
    for prefix in
        ["https://a/?token=hunter2", "https://a/#hunter2", "a?hunter2", "https://a?x#hunter2"]
    {
        let message = invalid_config(&format!("[[route]]\nprefix = \"{prefix}\"")).to_string();
        assert!(!message.contains("hunter2") && message.contains("REDACTED"), "{message}");
    }
}

/// A URL may be the value of a wrong key.
#[test]
fn config_error_hides_secrets_of_url_in_any_value() {
    for (text, key) in [
        (
            "default.timeouts.attempt = 'https://me:hunter2@a/?x=hunter2'",
            "default.timeouts.attempt",
        ),
        ("'https://me:hunter2@a/' = 1", ""),
    ] {
        let error = invalid_config(text);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        assert!(error.key().unwrap_or_default().starts_with(key), "{error}");
    }
}

#[test]
fn config_error_escapes_invisible_and_directional_characters() {
    for c in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{a0}'] {
        let error = invalid_config(&format!("default.retry.attempts = 'a{c}b'"));
        assert!(!error.to_string().contains(c), "{error}");
        let error = invalid_config(&format!("\"a{c}b\" = 1"));
        assert!(!format!("{error}").contains(c), "{error}");
    }
}

#[test]
fn config_selects_no_route_when_uri_lacks_host() {
    let config = routes(&["https://", "http://a", "https://a"]);
    for uri in ["/v1", "*", "a:443"] {
        assert_route(&config, uri, None);
    }
}

/// A URL in parts. Each part has few values, so that many URLs are prefixes of others.
#[derive(Clone, Debug, PartialEq)]
struct UrlParts {
    scheme: &'static str,
    host: Option<(&'static str, u16)>,
    segments: Vec<&'static str>,
}

impl UrlParts {
    /// Reference implementation of the prefix match.
    fn is_prefix_of(&self, url: &Self) -> bool {
        self.scheme == url.scheme
            && (self.host.is_none() || self.host == url.host)
            && url.segments.starts_with(&self.segments)
    }

    fn len(&self) -> usize {
        usize::from(self.host.is_some()) + self.segments.len()
    }

    /// Formats the URL in one of its equivalent spellings.
    fn spelling(&self, upper_case: bool, explicit_port: bool, slash: bool) -> String {
        let Some((host, number)) = self.host else { return format!("{}://", self.scheme) };
        let default_port = match self.scheme {
            "http" => 80,
            _ => 443,
        };
        let head = format!("{}://{host}", self.scheme);
        let head = if upper_case { head.to_uppercase() } else { head };
        let port = if number != default_port || explicit_port {
            format!(":{number}")
        } else {
            String::new()
        };
        let path = [&[""], &self.segments[..]].concat().join("/");
        format!("{head}{port}{path}{}", if slash { "/" } else { "" })
    }
}

fn url() -> impl Strategy<Value = UrlParts> {
    let scheme = prop_oneof![Just("http"), Just("https")];
    let host = prop_oneof![Just("a"), Just("a.b"), Just("a.b.c"), Just("b")];
    let port = prop_oneof![Just(80_u16), Just(443), Just(8_080)];
    let segment = prop_oneof![Just("v1"), Just("v10"), Just("x"), Just("V1")];
    let segments = prop::collection::vec(segment, 0..4);
    (scheme, host, port, segments).prop_map(|(scheme, host, port, segments)| UrlParts {
        scheme,
        host: Some((host, port)),
        segments,
    })
}

fn prefix() -> impl Strategy<Value = UrlParts> {
    (url(), 0..8).prop_map(|(url, scheme_only)| match scheme_only {
        0 => UrlParts { host: None, segments: Vec::new(), ..url },
        _ => url,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn config_selects_same_route_as_reference_search(
        prefixes in prop::collection::vec((prefix(), any::<[bool; 3]>()), 1..12),
        urls in prop::collection::vec((url(), any::<[bool; 3]>()), 1..12),
    ) {
        let mut distinct: Vec<UrlParts> = Vec::new();
        let mut text = Vec::new();
        for (prefix, [upper_case, explicit_port, slash]) in &prefixes {
            if !distinct.contains(prefix) {
                let spelling = prefix.spelling(*upper_case, *explicit_port, *slash);
                text.push(format!("[[route]]\nprefix = \"{spelling}\"\n"));
                distinct.push(prefix.clone());
            }
        }
        let config = config(&text.concat());
        for (url, [upper_case, explicit_port, slash]) in &urls {
            let uri: Uri = url.spelling(*upper_case, *explicit_port, *slash).parse().unwrap();
            let matching = distinct.iter().filter(|prefix| prefix.is_prefix_of(url));
            let longest = matching.max_by_key(|prefix| prefix.len());
            let expected = longest.map(|prefix| prefix.spelling(false, false, false));
            prop_assert_eq!(config.prefix_of(&uri), expected, "{}", uri);
        }
    }
}
