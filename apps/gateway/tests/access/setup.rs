//! A gateway in front of an origin that records what it receives.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use scripted_origin::{Origin, Script};
use tempfile::NamedTempFile;

use crate::{
    raw::{self, Reply},
    support::GatewayProcess,
};

pub(crate) const ANN: &str = "token-of-ann-6c1f0a5e9b3d4782";
pub(crate) const BOB: &str = "token-of-bob-93b7d2e84fa1c605";
pub(crate) const ADMIN: &str = "token-of-admin-58e0c7f2b9d6134a";
/// A token that could be guessed.
pub(crate) const SHORT: &str = "letmein";

pub(crate) const CLIENTS: &str = "
[[client]]
name = \"ann\"
token_env = \"TEST_TOKEN_ANN\"
[[client]]
name = \"bob\"
token_env = \"TEST_TOKEN_BOB\"
";
/// `/keyed` has an API key, `/keyless` forwards the caller's, and `/plain` has a URL.
pub(crate) const SERVICES: &str = "
[[service]]
name = \"keyed\"
[[service.upstream]]
url = \"http://ORIGIN\"
api_key_env = \"TEST_API_KEY\"
[[service]]
name = \"keyless\"
[[service.upstream]]
url = \"http://ORIGIN\"
[[service]]
name = \"plain\"
url = \"http://ORIGIN\"
";
pub(crate) const ADMIN_SECTION: &str = "[admin]\ntoken_env = \"TEST_TOKEN_ADMIN\"\n";

pub(crate) const VARIABLES: [(&str, &str); 5] = [
    ("TEST_TOKEN_ANN", ANN),
    ("TEST_TOKEN_BOB", BOB),
    ("TEST_TOKEN_ADMIN", ADMIN),
    ("TEST_TOKEN_SHORT", SHORT),
    ("TEST_API_KEY", "upstream-key"),
];

pub(crate) struct Setup {
    pub(crate) origin: Origin,
    pub(crate) gateway: GatewayProcess,
    pub(crate) file: NamedTempFile,
}

impl Setup {
    /// Starts a gateway with a file, in which `ORIGIN` stands for the address of the origin.
    pub(crate) async fn start(text: &str) -> Self {
        Self::start_on("127.0.0.1:0", text).await
    }

    pub(crate) async fn start_on(listen: &str, text: &str) -> Self {
        let origin = Origin::start(Script::Healthy).await.unwrap();
        let file = NamedTempFile::with_suffix(".toml").unwrap();
        fs::write(file.path(), text.replace("ORIGIN", &origin.addr().to_string())).unwrap();
        let arguments = ["--config", file.path().to_str().unwrap()];
        let gateway = GatewayProcess::start_on(listen, &arguments, &VARIABLES);
        Self { origin, gateway, file }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        address(&self.gateway)
    }

    pub(crate) async fn send(&self, request: &str, fields: &[&str]) -> Reply {
        raw::send(self.address(), request, fields).await
    }

    /// Sends a request that must succeed. Returns the head that the origin received.
    pub(crate) async fn forwarded(&self, request: &str, fields: &[&str]) -> String {
        let reply = self.send(request, fields).await;
        assert_eq!(reply.status, 200, "{request} {fields:?}: {reply:?}");
        self.origin.received().pop().unwrap().head
    }
}

pub(crate) fn address(gateway: &GatewayProcess) -> SocketAddr {
    gateway.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Returns the field of HTTP Basic.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

pub(crate) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// Returns another loopback address, which only Linux has by default.
pub(crate) fn other_loopback(number: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, number).into()
}

/// Returns the address of this host in its network. `None` without a network.
pub(crate) fn network_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Sends nothing: it only selects the route to a reserved address (RFC 5737).
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip())
}
