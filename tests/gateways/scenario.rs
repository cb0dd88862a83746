//! The scenarios: failing origins, and the routes to them.

use std::{net::SocketAddr, time::Duration};

use http::Method;
use scripted_origin::{Origin, Script};

use crate::{client::send_bare, name_server::NameServer};

/// The host of the scenario [`UNRESOLVABLE`]. It does not exist (RFC 6761 §6.4).
pub(crate) const NO_SUCH_HOST: &str = "seawall.invalid";
pub(crate) const UNRESOLVABLE: &str = "unresolvable";
const GONE: &str = "gone";
/// The route on which a client opens a connection to reuse.
pub(crate) const WARM_UP: &str = "warm-up";

/// Header lines of the origin's failures, which a gateway must pass on.
const ORIGIN_HEADERS: &str = "content-type: text/plain\r\nx-request-id: origin-17\r\n";
const ORIGIN_HEADERS_WITH_RETRY_AFTER: &str =
    "content-type: text/plain\r\nx-request-id: origin-17\r\nretry-after: 1\r\n";

/// The scenarios by name. Each has a path on the gateway and an origin behind it.
pub(crate) const SCENARIOS: [(&str, Script); 20] = [
    ("healthy", Script::Healthy),
    ("refused", Script::Refuse),
    // Available when the gateway starts, and stopped afterwards.
    (GONE, Script::Healthy),
    ("accept-close", Script::AcceptClose),
    ("read-close", Script::ReadClose),
    ("reset", Script::Reset),
    ("silent", Script::Silent),
    ("garbage", Script::Garbage),
    ("truncated", Script::TruncatedBody),
    ("truncated-chunks", Script::TruncatedChunks),
    ("truncated-head", Script::TruncatedHead),
    // Truncated at the end of a line.
    ("half-head", Script::Raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")),
    ("long-head", Script::LongHead(128 << 10)),
    // The gateway cannot resolve the name of this origin.
    (UNRESOLVABLE, Script::Healthy),
    ("origin-429", Script::Always(429, ORIGIN_HEADERS_WITH_RETRY_AFTER)),
    ("origin-500", Script::Always(500, ORIGIN_HEADERS)),
    ("origin-502", Script::Always(502, ORIGIN_HEADERS)),
    ("origin-503", Script::Always(503, ORIGIN_HEADERS)),
    ("origin-503-later", Script::Always(503, ORIGIN_HEADERS_WITH_RETRY_AFTER)),
    ("origin-504", Script::Always(504, ORIGIN_HEADERS)),
];

/// The origins and the name server behind a gateway.
pub(crate) struct Upstreams {
    origins: Vec<(&'static str, Origin)>,
    pub(crate) name_server: NameServer,
}

impl Upstreams {
    pub(crate) async fn start() -> Self {
        let mut origins = Vec::new();
        for (name, script) in SCENARIOS.into_iter().chain([(WARM_UP, Script::Healthy)]) {
            origins.push((name, Origin::start(script).await.unwrap()));
        }
        Self { origins, name_server: NameServer::start().await }
    }

    /// Waits until the gateway is ready, stops the origin of [`GONE`] and returns the scenarios.
    pub(crate) async fn start_scenarios(
        &mut self,
        gateway: SocketAddr,
    ) -> &[(&'static str, Origin)] {
        // Waits for responses, because Squid listens before it has probed its peers.
        for name in [GONE, WARM_UP] {
            for _ in 0..200 {
                if send_bare(&Method::GET, gateway, name).await == Some(200) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        for (_, origin) in self.origins.iter_mut().filter(|(name, _)| *name == GONE) {
            origin.stop().await;
        }
        &self.origins[..SCENARIOS.len()]
    }

    /// Returns the path and the upstream of each scenario except [`UNRESOLVABLE`].
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let resolvable = self.origins.iter().filter(|(name, _)| *name != UNRESOLVABLE);
        resolvable.map(|(name, origin)| (*name, origin.addr()))
    }

    /// Concatenates the configuration of the [`routes`](Self::routes).
    pub(crate) fn format_routes(
        &self,
        format_route: impl Fn(&str, SocketAddr) -> String,
    ) -> String {
        self.routes().map(|(name, upstream)| format_route(name, upstream)).collect()
    }
}
