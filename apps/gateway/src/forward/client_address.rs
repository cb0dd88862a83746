//! The address of the client in front of all trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap, HeaderName};

use super::trusted_proxies::TrustedProxies;
use crate::server::ConnectionInfo;

pub(super) static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A request extension with the address of the client, in its canonical form.
///
/// It is the address of the peer, unless that is a trusted proxy. Then it is the rightmost address
/// in `X-Forwarded-For` that is not of a trusted proxy. `Forwarded` has no effect on it, because
/// many proxies send that field on as they received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// Returns the address of the other end of the connection, which may be a proxy.
pub(crate) fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectionInfo>().map(|connection| connection.peer().address)
}

impl ClientAddress {
    /// Finds the client of a request.
    pub(super) fn find(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let mut client = peer;
        let lines = headers.get_all(&X_FORWARDED_FOR).iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while trusted.contains(client) {
            // An unknown hop hides all hops in front of it.
            match hops.next().and_then(parse) {
                Some(hop) => client = hop,
                None => break,
            }
        }
        Self(client)
    }
}

/// Parses an address with an optional port.
fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = hop.parse().ok().or_else(brackets);
    let address = address.or_else(|| hop.parse().ok().map(|hop: SocketAddr| hop.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&'static str]) -> String {
        let trusted: Config =
            toml::from_str("trusted = [\"10.0.0.0/8\", \"192.0.2.1\", \"fd00::/8\"]").unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&X_FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = peer.parse().unwrap();
        ClientAddress::find(peer, &headers, &trusted.trusted).0.to_string()
    }

    #[derive(serde::Deserialize)]
    struct Config {
        trusted: TrustedProxies,
    }

    #[test]
    fn client_is_rightmost_address_that_is_not_trusted() {
        for (peer, lines, expected) in [
            ("203.0.113.1", &["10.1.1.1"][..], "203.0.113.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7,10.2.2.2 , 192.0.2.1"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.7:99", "10.2.2.2"], "198.51.100.7"),
            ("fd00::1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("fd00::1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["1.1.1.1, unknown, 10.2.2.2"], "10.2.2.2"),
            ("10.0.0.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("192.0.2.2", &["1.1.1.1"], "192.0.2.2"),
        ] {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }
}
