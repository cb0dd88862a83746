use std::fmt;

/// The party at fault for a failure.
///
/// A circuit breaker counts a failure only if the upstream or the network is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The caller: its request is faulty, too slow, or one too many, or it canceled the call.
    Caller,
    /// This process: its configuration, its limits, or the resources of its host.
    Process,
    /// The upstream, or a gateway before it. Also for a failure of unknown cause.
    Upstream,
    /// The network between, including name lookup.
    Network,
}

impl Blame {
    /// Returns the name: `caller`, `process`, `upstream` or `network`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Process => "process",
            Self::Upstream => "upstream",
            Self::Network => "network",
        }
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
