//! The address of the client that sent a request.

use std::net::IpAddr;

use http::Request;

use crate::forward::{ClientAddress, peer_address};

/// Returns the address of the client in front of all trusted proxies, by which requests are limited.
pub(crate) fn client_address<B>(request: &Request<B>) -> Option<IpAddr> {
    request
        .extensions()
        .get()
        .map(|client: &ClientAddress| client.0)
        .or_else(|| peer_address(request.extensions()))
}

/// An IPv4 address, or the /64 network of an IPv6 address, because one host usually has a /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientNetwork(IpAddr);

impl ClientNetwork {
    /// Returns the network of the client that sent the request.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        client_address(request).map(Self::from)
    }
}

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
            address @ IpAddr::V4(_) => address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_same_host_are_same_network() {
        let network = |text: &str| ClientNetwork::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
        assert_ne!(network("10.0.0.1"), network("10.0.0.2"));
    }
}
