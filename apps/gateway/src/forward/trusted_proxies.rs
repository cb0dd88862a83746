//! The networks whose forwarded fields are true.

use std::net::{AddrParseError, IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

/// The proxies in front of the gateway. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Returns whether the address, in its canonical form, is that of a trusted proxy.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let networks = Vec::<String>::deserialize(deserializer)?;
        let parse = |text: &String| {
            let address = |_| text.parse().map(|address: IpAddr| address.to_canonical().into());
            let network = text.parse().or_else(address);
            network.map_err(|_: AddrParseError| {
                D::Error::custom("expected addresses or networks such as `10.0.0.0/8`")
            })
        };
        networks.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }
}
