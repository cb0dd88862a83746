//! An upstream, its circuit and its statistics.

use std::sync::{Arc, atomic::AtomicU64};

use http::Uri;
use seawall::{
    circuit_breaker::{Circuit, Snapshot, State},
    config::Handle,
    keys::by_authority,
};

use crate::{call_stats::CallStats, forward::ToUpstream};

/// A server to which the gateway proxies requests.
///
/// # Clone
///
/// Clones share the counters and the circuit.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) url: Uri,
    pub(crate) target: ToUpstream,
    /// The number of requests sent to the upstream, including retries.
    pub(crate) requests_sent: Arc<AtomicU64>,
    pub(crate) stats: Arc<CallStats>,
    circuit: CircuitSource,
}

#[derive(Clone, Debug)]
pub(crate) enum CircuitSource {
    /// The upstream has its own circuit breaker layer.
    Own(Circuit),
    /// The policies contain the circuit, keyed by authority.
    Policies(Handle),
}

impl Upstream {
    /// Creates an upstream with a URL that [`parse_url`](crate::cli::parse_url) accepts.
    pub(crate) fn new(name: String, url: Uri, circuit: CircuitSource) -> Self {
        let target = ToUpstream::new(url.clone()).expect("the URL was validated");
        let (requests_sent, stats) = (Arc::default(), Arc::default());
        Self { name, url, target, requests_sent, stats, circuit }
    }

    /// Returns the state of the circuit, or `None` before the first request.
    ///
    /// If the policies have several circuits for the upstream, one per route, prefers one that is
    /// not closed.
    pub(crate) fn circuit(&self) -> Option<Snapshot> {
        let policies = match &self.circuit {
            CircuitSource::Own(circuit) => return Some(circuit.snapshot()),
            CircuitSource::Policies(policies) => policies,
        };
        let key = by_authority(&self.url)?;
        policies
            .circuits()
            .into_iter()
            .filter_map(|(_, circuits)| circuits.get(&key))
            .map(|circuit| circuit.snapshot())
            .max_by_key(|snapshot| snapshot.state() != State::Closed)
    }
}
