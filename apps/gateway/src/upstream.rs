//! An upstream, its circuit and its statistics.

use std::sync::{Arc, atomic::AtomicU64};

use http::Uri;
use seawall::circuit_breaker::Circuit;

use crate::{call_stats::CallStats, config::UpstreamConfig, forward::ToUpstream};

/// A server to which the gateway proxies requests.
///
/// # Clone
///
/// Clones share the counters and the circuit.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) name: Arc<str>,
    /// The environment variable with the API key.
    pub(crate) key: Option<Arc<str>>,
    pub(crate) url: Uri,
    pub(crate) circuit: Circuit,
    pub(crate) target: ToUpstream,
    /// The number of requests sent to the upstream, including retries.
    pub(crate) requests_sent: Arc<AtomicU64>,
    pub(crate) stats: Arc<CallStats>,
}

impl Upstream {
    /// Creates an upstream with a URL that [`parse_url`](crate::cli::parse_url) accepts.
    pub(crate) fn new(name: &str, url: Uri, circuit: Circuit, config: &UpstreamConfig) -> Self {
        let mut target = ToUpstream::new(url.clone()).expect("the URL was validated");
        if config.http2 {
            target = target.http2();
        }
        let key = config.api_key_env.as_ref().map(|key| Arc::clone(key.variable()));
        Self {
            name: name.into(),
            key,
            url,
            circuit,
            target,
            requests_sent: Arc::default(),
            stats: Arc::default(),
        }
    }
}
