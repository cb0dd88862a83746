//! What a classifier of responses leaves beside its `Failure`, for others to read.

use std::sync::Arc;

/// What a conclusion rests on: in the extensions of a failed response, beside its [`Failure`](crate::Failure), if more
/// than the status told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub(crate) note: &'static str,
    pub(crate) source: &'static str,
    pub(crate) verified: bool,
    pub(crate) proxy_status: Option<Arc<ProxyStatus>>,
}

impl Evidence {
    /// One sentence for a person: what was recognised, and what it leaves open. Holds nothing that the peer sent.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        self.note
    }

    /// Where the rule comes from: the version it was recorded from, the address of a page, or an RFC.
    #[must_use]
    pub const fn reference(&self) -> &'static str {
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

/// What one intermediary says in a `Proxy-Status` field (RFC 9209 §2): the one nearest the origin that reports an
/// error, or else the nearest of all.
///
/// Its texts are printable ASCII, of at most 256 characters each. They come from the peer: the name of a host or an
/// address may be among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyStatus {
    pub(crate) proxy: String,
    pub(crate) error: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) received_status: Option<u16>,
    /// Something came back, whatever it was.
    pub(crate) received: bool,
    /// Somebody nearer the origin has handled the response.
    pub(crate) relayed: bool,
}

impl ProxyStatus {
    /// What the intermediary calls itself.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// Its error type, as it is written; also one that no [`Cause`](crate::Cause) is named after (RFC 9209 §2.1.1).
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// What else it says of it (RFC 9209 §2.1.5).
    #[must_use]
    pub fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// The status it received from the hop behind it (RFC 9209 §2.1.4).
    #[must_use]
    pub const fn received_status(&self) -> Option<u16> {
        self.received_status
    }
}
