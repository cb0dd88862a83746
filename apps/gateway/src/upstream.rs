//! An upstream, its circuit and its statistics.

use std::sync::{Arc, atomic::AtomicU64};

use http::Uri;
use seawall::circuit_breaker::Circuit;

use crate::call_stats::CallStats;

/// A server to which the gateway proxies requests.
///
/// # Clone
///
/// Clones share the counters and the circuit.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) url: Uri,
    pub(crate) circuit: Circuit,
    /// The number of requests sent to the upstream, including retries.
    pub(crate) requests_sent: Arc<AtomicU64>,
    pub(crate) stats: Arc<CallStats>,
}

impl Upstream {
    pub(crate) fn new(name: String, url: Uri, circuit: Circuit) -> Self {
        Self { name, url, circuit, requests_sent: Arc::default(), stats: Arc::default() }
    }
}
