//! Tests of `UpstreamUri`, with targets of hostile callers.

use std::net::SocketAddr;

use http::{
    Method, Request, Uri, Version,
    header::{COOKIE, HOST},
    uri::{Parts, PathAndQuery},
};
use proptest::prelude::*;
use seawall::{
    Cause, Failure, Processed,
    classify::classify_error,
    gateway::{UnsupportedTarget, UpstreamUri},
};

const UPSTREAMS: [&str; 4] = [
    "http://billing:8080",
    "https://billing/",
    "http://billing/api/v1",
    "https://[::1]:8443/api//",
];

fn upstream(text: &str) -> UpstreamUri {
    text.parse().unwrap()
}

fn uri_for(upstream: &UpstreamUri, target: &str) -> Result<String, UnsupportedTarget> {
    upstream.uri_for(&target.parse().unwrap()).map(|uri| uri.to_string())
}

#[test]
fn uri_for_keeps_path_and_query_of_caller() {
    for (target, expected) in [
        ("/", "/"),
        ("/17?page=2", "/17?page=2"),
        ("/17?", "/17?"),
        ("/?page=http://evil/", "/?page=http://evil/"),
        ("//evil", "//evil"),
        ("//evil.example:80/x", "//evil.example:80/x"),
        ("///", "///"),
        ("/@evil", "/@evil"),
        ("/:80@evil/", "/:80@evil/"),
        ("/.evil.example/", "/.evil.example/"),
        ("/a/../../b", "/a/../../b"),
        ("/./..", "/./.."),
        ("/%2e%2e/%2F%5c%00", "/%2e%2e/%2F%5c%00"),
        ("/http://evil/", "/http://evil/"),
        ("/a;b=c/\"{}|^", "/a;b=c/\"{}|^"),
        ("/\\evil", "/\\evil"),
        ("/\\@evil\\", "/\\@evil\\"),
        ("http://evil/\\other", "/\\other"),
        ("/ü", "/ü"),
        ("http://evil/", "/"),
        ("http://evil", "/"),
        ("http://evil?page=2", "/?page=2"),
        ("http://user:password@evil:80/17?page=2", "/17?page=2"),
        ("http://evil//other", "//other"),
        ("ftp://evil/17", "/17"),
        ("/17#fragment", "/17"),
    ] {
        for (base, prefix) in [
            ("http://billing:8080", "http://billing:8080"),
            ("https://Billing/api//", "https://Billing/api"),
        ] {
            let uri = uri_for(&upstream(base), target);
            assert_eq!(uri.as_deref(), Ok(&*format!("{prefix}{expected}")), "{target}");
        }
    }
}

#[test]
fn target_without_path_is_unsupported() {
    for target in ["*", "evil", "evil:443", "user:password@evil:443", "[::1]:443"] {
        for base in UPSTREAMS {
            let error = uri_for(&upstream(base), target).unwrap_err();
            let failure: Failure = classify_error(&error);
            assert_eq!(failure.cause(), Cause::HttpRequestError, "{target}");
            assert_eq!(failure.processed(), Processed::No);
            assert!(!error.to_string().contains("evil"), "{error}");
        }
    }
    // Below another path, an asterisk would be a path.
    let mut parts = Parts::default();
    parts.scheme = Some("http".parse().unwrap());
    parts.authority = Some("evil".parse().unwrap());
    parts.path_and_query = Some(PathAndQuery::from_static("*"));
    let target = Uri::from_parts(parts).unwrap();
    assert!(upstream("http://billing/api").uri_for(&target).is_err());
}

#[test]
fn long_target_is_unsupported() {
    let long = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
    for base in UPSTREAMS {
        let upstream = upstream(base);
        let max = usize::from(u16::MAX) - 1 - upstream.to_string().len();
        let uri = uri_for(&upstream, &long(max)).unwrap();
        assert_eq!(uri.parse::<Uri>().unwrap().to_string(), uri);
        let error = uri_for(&upstream, &long(max + 1)).unwrap_err();
        assert_eq!(error.to_string(), "unsupported request target: too long");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn caller_never_chooses_host(
        base in prop::sample::select(&UPSTREAMS[..]),
        target in r"(http://|https://|//|/|)[a@:/\\.?#*%\[\]2eE;u-]{0,20}",
    ) {
        let Ok(target) = target.parse::<Uri>() else { return Ok(()) };
        let upstream = upstream(base);
        let Ok(uri) = upstream.uri_for(&target) else {
            prop_assert!(!target.path().starts_with('/'));
            return Ok(());
        };
        let expected: Uri = base.parse().unwrap();
        // Also if a client writes the URL as text and parses it again.
        for uri in [uri.to_string().parse().unwrap(), uri] {
            prop_assert_eq!(uri.scheme(), expected.scheme());
            prop_assert_eq!(uri.authority(), expected.authority());
            let base_path = expected.path().trim_end_matches('/');
            prop_assert_eq!(uri.path().strip_prefix(base_path), Some(target.path()));
            prop_assert_eq!(uri.query(), target.query());
        }
    }
}

#[test]
fn rewrite_replaces_host_and_version_and_rejects_connect() {
    let upstream = upstream("http://billing/api");
    let request = |method: Method| {
        let request =
            Request::builder().method(method).uri("http://evil/17").version(Version::HTTP_2);
        request.header(HOST, "evil").header(COOKIE, "a=b").body("body").unwrap()
    };
    let rewritten = upstream.rewrite(request(Method::POST)).unwrap();
    assert_eq!(rewritten.uri(), "http://billing/api/17");
    assert_eq!(rewritten.version(), Version::HTTP_11);
    assert_eq!(
        (rewritten.headers().len(), &rewritten.headers()[COOKIE]),
        (1, &"a=b".parse().unwrap())
    );
    assert_eq!(*rewritten.body(), "body");
    let error = upstream.rewrite(request(Method::CONNECT)).unwrap_err();
    assert_eq!(error.to_string(), "unsupported request method: CONNECT");
}

#[test]
fn upstream_uri_is_rejected_without_scheme_or_host_or_with_extras() {
    for (text, reason) in [
        ("", "not a URL"),
        ("http://", "not a URL"),
        ("http:///api", "not a URL"),
        ("billing:8080", "expected `http://` or `https://`"),
        ("/api", "expected `http://` or `https://`"),
        ("*", "expected `http://` or `https://`"),
        ("ftp://billing", "expected `http://` or `https://`"),
        ("http://:8080", "expected a host"),
        ("http://user:secret@billing", "expected no user and no password"),
        ("http://billing/?token=secret", "expected no query"),
        ("http://billing?", "expected no query"),
        ("http://billing/#secret", "expected no fragment"),
    ] {
        let error = text.parse::<UpstreamUri>().unwrap_err();
        assert_eq!(error.to_string(), format!("invalid URL of an upstream: {reason}"), "{text}");
    }
}

#[test]
fn upstream_uri_of_address_has_no_zone() {
    for (address, expected) in [
        ("127.0.0.1:80", "http://127.0.0.1:80"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("[fe80::1%7]:8080", "http://[fe80::1]:8080"),
    ] {
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(UpstreamUri::from(address).to_string(), expected);
    }
}
