use std::sync::Arc;

use super::ProxyStatus;

/// What a conclusion rests on: in the extensions of a failed response, beside its [`Failure`](crate::Failure), if more
/// than the status told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub(super) note: &'static str,
    pub(super) source: &'static str,
    pub(super) verified: bool,
    pub(super) proxy_status: Option<Arc<ProxyStatus>>,
}

impl Evidence {
    /// One sentence for a person: what was recognised, and what it leaves open. Holds nothing that the peer sent.
    #[must_use]
    pub const fn note(&self) -> &'static str {
        self.note
    }

    /// Where the rule comes from: the version it was recorded from, the address of a page, or an RFC.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Whether the rule was checked against the product itself, and not only against what is written about it.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.verified
    }

    /// What the `Proxy-Status` field said, if there was a valid one.
    #[must_use]
    pub fn proxy_status(&self) -> Option<&ProxyStatus> {
        self.proxy_status.as_deref()
    }
}
