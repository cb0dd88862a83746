use std::sync::Arc;

/// The basis of a diagnosis.
///
/// `BadGatewayClassifierLayer` inserts it into the extensions of a failed response, next to the
/// [`Failure`](crate::Failure), unless the failure follows from the status alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub(super) summary: &'static str,
    pub(super) reference: &'static str,
    pub(super) is_verified: bool,
    pub(super) proxy_status: Option<Arc<ProxyStatus>>,
}

impl Evidence {
    /// Returns one sentence for people. It contains no text from the peer.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        self.summary
    }

    /// Returns the source of the rule that matched: a product version whose responses were
    /// recorded, a URL, or an RFC.
    #[must_use]
    pub const fn reference(&self) -> &'static str {
        self.reference
    }

    /// Returns whether the rule was tested against the product itself, not only taken from its
    /// documentation.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Returns the content of the `Proxy-Status` header, if it is valid.
    #[must_use]
    pub fn proxy_status(&self) -> Option<&ProxyStatus> {
        self.proxy_status.as_deref()
    }
}

/// One member of a `Proxy-Status` header (RFC 9209 §2).
///
/// It is the member with an error that is nearest the origin. If no member has an error, it is the
/// member nearest the origin.
///
/// Its texts come from the peer, and may contain host names and addresses. They are printable
/// ASCII of at most 256 characters each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyStatus {
    pub(super) proxy: String,
    pub(super) error: Option<String>,
    pub(super) details: Option<String>,
    pub(super) received_status: Option<u16>,
    /// Whether the member has the parameter `received-status`, valid or not.
    pub(super) has_received_status: bool,
    /// Whether another intermediary, nearer the origin, handled the response.
    pub(super) relayed: bool,
}

impl ProxyStatus {
    /// Returns the name of the intermediary.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// Returns the error type (RFC 9209 §2.1.1). It may match no [`Cause`](crate::Cause).
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns the details of the error (RFC 9209 §2.1.5).
    #[must_use]
    pub fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// Returns the status that the intermediary received from the next hop (RFC 9209 §2.1.4).
    #[must_use]
    pub const fn received_status(&self) -> Option<u16> {
        self.received_status
    }
}
