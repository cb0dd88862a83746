//! Which route a URL takes.

use http::Uri;
use proptest::prelude::*;

use super::*;

fn routes(prefixes: &[&str]) -> Config {
    let route = |prefix: &&str| format!("[[route]]\nprefix = \"{prefix}\"\n");
    config(&prefixes.iter().map(route).collect::<String>())
}

#[track_caller]
fn takes(config: &Config, uri: &str, expected: Option<&str>) {
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
    takes(&config, "https://other.example.com/", Some("https://"));
    takes(&config, "https://api.example.com", Some("https://api.example.com"));
    takes(&config, "https://api.example.com/v2", Some("https://api.example.com"));
    takes(&config, "https://api.example.com/v1", Some("https://api.example.com/v1"));
    takes(&config, "https://api.example.com/v1/user", Some("https://api.example.com/v1"));
    takes(&config, "https://api.example.com/v1/users/7", Some("https://api.example.com/v1/users"));
    takes(&config, "http://api.example.com/v1", None);
}

#[test]
fn prefix_matches_whole_url_components() {
    let config = routes(&["https://api", "https://api/v1"]);
    takes(&config, "https://api.evil.com/", None);
    takes(&config, "https://apix/", None);
    takes(&config, "https://api:8443/", None);
    takes(&config, "https://api@evil.com/", None);
    takes(&config, "https://evil.com/https://api/v1", None);
    takes(&config, "https://api/v10", Some("https://api"));
    takes(&config, "https://api/v1%2Fx", Some("https://api"));
    takes(&config, "https://api/v1?page=2", Some("https://api/v1"));
    takes(&config, "https://api/v1/", Some("https://api/v1"));
    takes(&config, "https://api/v1//x", Some("https://api/v1"));
}

#[test]
fn prefix_matches_equivalent_url_spellings() {
    let config = routes(&["HTTPS://API.Example.com:443/v1/", "http://[::1]:80", "grpc://X:443"]);
    let prefixes: Vec<_> = config.prefixes().collect();
    assert_eq!(prefixes, ["https://api.example.com/v1", "http://[::1]", "grpc://x:443"]);
    takes(&config, "https://api.EXAMPLE.com/v1/x", Some("https://api.example.com/v1"));
    takes(
        &config,
        "HTTPS://user:secret@api.example.com:443/v1",
        Some("https://api.example.com/v1"),
    );
    takes(&config, "http://[::1]/", Some("http://[::1]"));
    takes(&config, "GRPC://x:443/y", Some("grpc://x:443"));
    // RFC 3986 §6.2.3: a port that is empty is none; and a number is the same with zeros before it.
    takes(&config, "https://api.example.com:/v1", Some("https://api.example.com/v1"));
    takes(&config, "https://api.example.com:00443/v1", Some("https://api.example.com/v1"));
    takes(&config, "https://user:@api.example.com:/v1", Some("https://api.example.com/v1"));
    takes(&config, "http://[::1]:/", Some("http://[::1]"));
    takes(&config, "GRPC://x:0443/y", Some("grpc://x:443"));
    // Servers may well tell these apart.
    takes(&config, "https://api.example.com/V1", None);
    takes(&config, "https://api.example.com/%76%31", None);
}

#[test]
fn config_rejects_prefix_when_no_url_matches() {
    for prefix in ["://", "1x://", "https://*", "https://*.example.com", "https://a:*"] {
        refused(&format!("[[route]]\nprefix = \"{prefix}\""));
    }
}

#[test]
fn config_error_hides_password_in_prefix() {
    for prefix in ["https://me:hunter2@a/", "https://me:hunter2@", "me:hunter2@a", "x://hunt@er2@a"]
    {
        let said = refused(&format!("[[route]]\nprefix = \"{prefix}\"")).to_string();
        assert!(!said.contains("hunt") && said.contains("…@"), "{said}");
    }
}

#[test]
fn config_selects_no_route_when_uri_lacks_host() {
    let config = routes(&["https://", "http://a", "https://a"]);
    for uri in ["/v1", "*", "a:443"] {
        takes(&config, uri, None);
    }
}

/// A URL in parts, of few kinds, so that many of them begin with each other.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    scheme: &'static str,
    host: Option<(&'static str, u16)>,
    segments: Vec<&'static str>,
}

impl Parts {
    /// Whether this is a prefix, said as simply as can be.
    fn begins(&self, url: &Self) -> bool {
        self.scheme == url.scheme
            && (self.host.is_none() || self.host == url.host)
            && url.segments.starts_with(&self.segments)
    }

    fn len(&self) -> usize {
        usize::from(self.host.is_some()) + self.segments.len()
    }

    /// As it may be written.
    fn written(&self, loud: bool, port: bool, slash: bool) -> String {
        let Some((host, number)) = self.host else { return format!("{}://", self.scheme) };
        let own = match self.scheme {
            "http" => 80,
            _ => 443,
        };
        let head = format!("{}://{host}", self.scheme);
        let head = if loud { head.to_uppercase() } else { head };
        let port = if number != own || port { format!(":{number}") } else { String::new() };
        let path = [&[""], &self.segments[..]].concat().join("/");
        format!("{head}{port}{path}{}", if slash { "/" } else { "" })
    }
}

fn url() -> impl Strategy<Value = Parts> {
    let scheme = prop_oneof![Just("http"), Just("https")];
    let host = prop_oneof![Just("a"), Just("a.b"), Just("a.b.c"), Just("b")];
    let port = prop_oneof![Just(80_u16), Just(443), Just(8_080)];
    let segment = prop_oneof![Just("v1"), Just("v10"), Just("x"), Just("V1")];
    let segments = prop::collection::vec(segment, 0..4);
    (scheme, host, port, segments).prop_map(|(scheme, host, port, segments)| Parts {
        scheme,
        host: Some((host, port)),
        segments,
    })
}

fn prefix() -> impl Strategy<Value = Parts> {
    (url(), 0..8).prop_map(|(url, scheme_only)| match scheme_only {
        0 => Parts { host: None, segments: Vec::new(), ..url },
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
        let mut known: Vec<Parts> = Vec::new();
        let mut text = Vec::new();
        for (prefix, [loud, port, slash]) in &prefixes {
            if !known.contains(prefix) {
                text.push(format!("[[route]]\nprefix = \"{}\"\n", prefix.written(*loud, *port, *slash)));
                known.push(prefix.clone());
            }
        }
        let config = config(&text.concat());
        for (url, [loud, port, slash]) in &urls {
            let uri: Uri = url.written(*loud, *port, *slash).parse().unwrap();
            let longest = known.iter().filter(|prefix| prefix.begins(url)).max_by_key(|it| it.len());
            let expected = longest.map(|prefix| prefix.written(false, false, false));
            prop_assert_eq!(config.prefix_of(&uri), expected, "{}", uri);
        }
    }
}
