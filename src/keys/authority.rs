use std::borrow::Cow;

use http::Uri;

/// Returns the host and port in lower case, and without the port if it is empty or the scheme's own: RFC 3986 §6.2.2.1,
/// §6.2.3.
///
/// So `http://host/` and `https://host/` have one key, as one upstream; `https://host:80/` has another. Other spellings of a host
/// are other keys, such as one with a dot at its end, or an address of IPv6 with its zeros.
#[must_use]
pub fn by_authority(uri: &Uri) -> Option<Cow<'_, str>> {
    let whole = uri.authority()?.as_str();
    // In ASCII, `@` stands before the capitals.
    if !whole.bytes().any(|byte| matches!(byte, b'@'..=b'Z')) {
        return Some(normalize_port(whole, uri));
    }
    // A user's name and password are no part of where a request goes.
    let host = whole.rsplit_once('@').map_or(whole, |(_, host)| host);
    let host = normalize_port(host, uri);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(Cow::Owned(host.to_ascii_lowercase()));
    }
    Some(host)
}

/// Removes the port if it is empty or the scheme's own, and zeros that it begins with.
fn normalize_port<'a>(host: &'a str, uri: &Uri) -> Cow<'a, str> {
    let digits = host.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (rest, port) = host.split_at(host.len() - digits);
    let Some(name) = rest.strip_suffix(':') else { return Cow::Borrowed(host) };
    let is_default = |port| match port {
        "80" => uri.scheme_str() == Some("http"),
        "443" => uri.scheme_str() == Some("https"),
        _ => false,
    };
    let significant = if port.starts_with('0') { port.trim_start_matches('0') } else { port };
    if port.is_empty() || is_default(significant) {
        Cow::Borrowed(name)
    } else if significant.is_empty() || significant.len() == port.len() {
        Cow::Borrowed(host)
    } else {
        Cow::Owned(format!("{name}:{significant}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_authority_is_host_and_port_without_the_user() {
        let of = |uri: &'static str| by_authority(&Uri::from_static(uri)).map(Cow::into_owned);
        assert_eq!(of("http://u:p@a:81/x").as_deref(), Some("a:81"));
        assert_eq!(of("http://a/x").as_deref(), Some("a"));
        assert_eq!(of("http://Example.COM:80/x").as_deref(), Some("example.com"));
        assert_eq!(of("https://a:443/x").as_deref(), Some("a"));
        assert_eq!(of("https://a:80/x").as_deref(), Some("a:80"));
        assert_eq!(of("http://[::1]:80/x").as_deref(), Some("[::1]"));
        assert_eq!(of("http://[FE80::1]:80/x").as_deref(), Some("[fe80::1]"));
        assert_eq!(of("http://some_service:81/x").as_deref(), Some("some_service:81"));
        assert_eq!(of("ws://a:80/x").as_deref(), Some("a:80"));
        assert_eq!(of("http://a:/x").as_deref(), Some("a"));
        assert_eq!(of("https://a:00443/x").as_deref(), Some("a"));
        assert_eq!(of("https://a:08443/x").as_deref(), Some("a:8443"));
        assert_eq!(of("http://a:0/x").as_deref(), Some("a:0"));
        assert_eq!(of("http://[::1]:/x").as_deref(), Some("[::1]"));
        assert_eq!(of("/x"), None);
    }

    #[test]
    fn a_port_that_may_be_a_scheme_s_own_is_looked_at_behind_any_host() {
        for host in ["a", "127.0.0.1", "[::1]", "[::12]", "[fe80::1:2]", "[fe80::123]"] {
            let before = format!("https://{host}:80/").parse().unwrap();
            assert_eq!(by_authority(&before).unwrap(), format!("{host}:80"));
            let now = format!("http://{host}:80/").parse().unwrap();
            assert_eq!(by_authority(&now).unwrap(), host);
        }
    }

    /// As it is written down.
    fn naive(uri: &Uri) -> Option<String> {
        let whole = uri.authority()?.as_str();
        let host = whole.rsplit_once('@').map_or(whole, |(_, host)| host).to_ascii_lowercase();
        let own = match uri.scheme_str() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        };
        let Some((name, port)) = host.rsplit_once(':').filter(|_| !host.ends_with(']')) else {
            return Some(host);
        };
        Some(match port.parse::<u16>() {
            Ok(port) if Some(port) != own && port > 0 => format!("{name}:{port}"),
            Ok(0) => host,
            _ => name.to_owned(),
        })
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_much_of_it_is_looked_at_at_once(
            scheme in "(https?|ftp|HTTP)://|",
            user in "([a-z:A-Z%0-9]{0,9}@)?",
            host in r"[-a-zA-Z0-9._]{1,20}|\[::1[a-fA-F]?\]",
            port in "(:0{0,2}(80|443|8080|1)?)?",
        ) {
            let text = format!("{scheme}{user}{host}{port}");
            if let Ok(uri) = text.parse() {
                prop_assert_eq!(by_authority(&uri).map(Cow::into_owned), naive(&uri), "{}", text);
            }
        }
    }
}
