//! What an origin does, and what a gateway in front of it is told.

use std::{net::SocketAddr, time::Duration};

use http::Method;
use scripted_origin::{Origin, Script};

use crate::{client::bare, resolver::Resolver};

/// The host of the scenario [`UNRESOLVABLE`]: RFC 6761 §6.4 promises that there is none.
pub(crate) const NO_SUCH_HOST: &str = "seawall.invalid";
pub(crate) const UNRESOLVABLE: &str = "unresolvable";
const GONE: &str = "gone";
/// Where a client makes a connection to the gateway that it will use again.
pub(crate) const WARM_UP: &str = "warm-up";

/// Header lines of the origin's own failures: a gateway is to pass them on.
const ITS_OWN: &str = "content-type: text/plain\r\nx-request-id: origin-17\r\n";
const LATER: &str = "content-type: text/plain\r\nx-request-id: origin-17\r\nretry-after: 1\r\n";

/// By name; each has a path of that name on the gateway, and an origin behind it.
pub(crate) const SCENARIOS: [(&str, Script); 20] = [
    ("healthy", Script::Healthy),
    ("refused", Script::Refuse),
    // There when the gateway started.
    (GONE, Script::Healthy),
    ("accept-close", Script::AcceptClose),
    ("read-close", Script::ReadClose),
    ("reset", Script::Reset),
    ("silent", Script::Silent),
    ("garbage", Script::Garbage),
    ("truncated", Script::TruncatedBody),
    ("truncated-chunks", Script::TruncatedChunks),
    ("truncated-head", Script::TruncatedHead),
    // The same, but at the end of a line.
    ("half-head", Script::Raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")),
    ("long-head", Script::LongHead(128 << 10)),
    // The gateway does not get as far as this origin.
    (UNRESOLVABLE, Script::Healthy),
    ("origin-429", Script::Always(429, LATER)),
    ("origin-500", Script::Always(500, ITS_OWN)),
    ("origin-502", Script::Always(502, ITS_OWN)),
    ("origin-503", Script::Always(503, ITS_OWN)),
    ("origin-503-later", Script::Always(503, LATER)),
    ("origin-504", Script::Always(504, ITS_OWN)),
];

/// Everything behind a gateway.
pub(crate) struct Backstage {
    origins: Vec<(&'static str, Origin)>,
    pub(crate) resolver: Resolver,
}

impl Backstage {
    pub(crate) async fn start() -> Self {
        let mut origins = Vec::new();
        for (name, script) in SCENARIOS.into_iter().chain([(WARM_UP, Script::Healthy)]) {
            origins.push((name, Origin::start(script).await.unwrap()));
        }
        Self { origins, resolver: Resolver::start().await }
    }

    /// The scenarios, once the gateway there is ready: one origin is given up now.
    pub(crate) async fn begin(&mut self, gateway: SocketAddr) -> &[(&'static str, Origin)] {
        // Squid listens before it has found out which of its peers are there.
        for name in [GONE, WARM_UP] {
            for _ in 0..200 {
                if bare(&Method::GET, gateway, name).await == Some(200) {
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

    /// Path and upstream of all but [`UNRESOLVABLE`].
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let resolvable = self.origins.iter().filter(|(name, _)| *name != UNRESOLVABLE);
        resolvable.map(|(name, origin)| (*name, origin.addr()))
    }

    /// One piece of configuration for each of the [`routes`](Self::routes).
    pub(crate) fn each_route(&self, one: impl Fn(&str, SocketAddr) -> String) -> String {
        self.routes().map(|(name, upstream)| one(name, upstream)).collect()
    }
}
