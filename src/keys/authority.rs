use std::borrow::Cow;

use http::Uri;

/// Returns the host in lower case, with the port unless it is empty or the default of the scheme
/// (RFC 3986 §6.2.2.1, §6.2.3).
///
/// `http://host/` and `https://host/` have the same key, because they are one upstream.
/// `https://host:80/` has another key. Hosts are not normalized further: a trailing dot, or leading
/// zeros in an IPv6 address, make a different key.
#[must_use]
pub fn by_authority(uri: &Uri) -> Option<Cow<'_, str>> {
    let authority = uri.authority()?.as_str();
    // In ASCII, `@` directly precedes the upper-case letters, so one range finds both.
    if !authority.bytes().any(|byte| matches!(byte, b'@'..=b'Z')) {
        return Some(normalize_port(authority, uri));
    }
    // The user name and the password do not identify the upstream.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = normalize_port(host, uri);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(Cow::Owned(host.to_ascii_lowercase()));
    }
    Some(host)
}

/// Removes the port if it is empty or the default of the scheme. Otherwise, removes the leading
/// zeros of the port.
fn normalize_port<'a>(host: &'a str, uri: &Uri) -> Cow<'a, str> {
    let digits = host.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (rest, port) = host.split_at(host.len() - digits);
    let Some(host_without_port) = rest.strip_suffix(':') else { return Cow::Borrowed(host) };
    let is_default = |port| match port {
        "80" => uri.scheme_str() == Some("http"),
        "443" => uri.scheme_str() == Some("https"),
        _ => false,
    };
    let significant = if port.starts_with('0') { port.trim_start_matches('0') } else { port };
    if port.is_empty() || is_default(significant) {
        Cow::Borrowed(host_without_port)
    } else if significant.is_empty() || significant.len() == port.len() {
        Cow::Borrowed(host)
    } else {
        Cow::Owned(format!("{host_without_port}:{significant}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_authority_normalizes_host_and_port() {
        let key = |uri: &'static str| by_authority(&Uri::from_static(uri)).map(Cow::into_owned);
        assert_eq!(key("http://u:p@a:81/x").as_deref(), Some("a:81"));
        assert_eq!(key("http://a/x").as_deref(), Some("a"));
        assert_eq!(key("http://Example.COM:80/x").as_deref(), Some("example.com"));
        assert_eq!(key("https://a:443/x").as_deref(), Some("a"));
        assert_eq!(key("https://a:80/x").as_deref(), Some("a:80"));
        assert_eq!(key("http://[::1]:80/x").as_deref(), Some("[::1]"));
        assert_eq!(key("http://[FE80::1]:80/x").as_deref(), Some("[fe80::1]"));
        assert_eq!(key("http://some_service:81/x").as_deref(), Some("some_service:81"));
        assert_eq!(key("ws://a:80/x").as_deref(), Some("a:80"));
        assert_eq!(key("http://a:/x").as_deref(), Some("a"));
        assert_eq!(key("https://a:00443/x").as_deref(), Some("a"));
        assert_eq!(key("https://a:08443/x").as_deref(), Some("a:8443"));
        assert_eq!(key("http://a:0/x").as_deref(), Some("a:0"));
        assert_eq!(key("http://[::1]:/x").as_deref(), Some("[::1]"));
        assert_eq!(key("/x"), None);
    }

    #[test]
    fn by_authority_removes_default_port_of_any_host() {
        for host in ["a", "127.0.0.1", "[::1]", "[::12]", "[fe80::1:2]", "[fe80::123]"] {
            let other_port = format!("https://{host}:80/").parse().unwrap();
            assert_eq!(by_authority(&other_port).unwrap(), format!("{host}:80"));
            let default_port = format!("http://{host}:80/").parse().unwrap();
            assert_eq!(by_authority(&default_port).unwrap(), host);
        }
    }

    /// Applies the documented rules one after the other.
    fn reference_key(uri: &Uri) -> Option<String> {
        let authority = uri.authority()?.as_str();
        let host =
            authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
        let default_port = match uri.scheme_str() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        };
        let Some((name, port)) = host.rsplit_once(':').filter(|_| !host.ends_with(']')) else {
            return Some(host);
        };
        Some(match port.parse::<u16>() {
            Ok(port) if Some(port) != default_port && port > 0 => format!("{name}:{port}"),
            Ok(0) => host,
            _ => name.to_owned(),
        })
    }

    proptest! {
        #[test]
        fn by_authority_equals_reference_for_any_uri(
            scheme in "(https?|ftp|HTTP)://|",
            user in "([a-z:A-Z%0-9]{0,9}@)?",
            host in r"[-a-zA-Z0-9._]{1,20}|\[::1[a-fA-F]?\]",
            port in "(:0{0,2}(80|443|8080|1)?)?",
        ) {
            let text = format!("{scheme}{user}{host}{port}");
            if let Ok(uri) = text.parse() {
                let key = by_authority(&uri).map(Cow::into_owned);
                prop_assert_eq!(key, reference_key(&uri), "{}", text);
            }
        }
    }
}
