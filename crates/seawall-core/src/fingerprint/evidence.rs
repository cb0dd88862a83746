use std::sync::Arc;

/// The basis of a diagnosis.
///
/// `BadGatewayClassifierLayer` inserts it into the extensions of a failed response, beside the [`Failure`](crate::Failure), unless
/// the failure follows from the status alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub(super) summary: &'static str,
    pub(super) reference: &'static str,
    pub(super) is_verified: bool,
    pub(super) proxy_status: Option<Arc<ProxyStatus>>,
}

impl Evidence {
    /// Returns one sentence for a person, without any text of the peer.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        self.summary
    }

    /// Returns the origin of the rule: the recorded version of a product, the URL of a page, or an RFC.
    #[must_use]
    pub const fn reference(&self) -> &'static str {
        self.reference
    }

    /// Returns whether the rule was verified with the product itself, and not only with its documentation.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Returns the content of a valid `Proxy-Status` field.
    #[must_use]
    pub fn proxy_status(&self) -> Option<&ProxyStatus> {
        self.proxy_status.as_deref()
    }
}

/// One member of a `Proxy-Status` field (RFC 9209 §2): the one nearest the origin that reports an error, or else the nearest of all.
///
/// Its texts are printable ASCII of at most 256 characters each. The peer sent them; they may contain host names and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyStatus {
    pub(super) proxy: String,
    pub(super) error: Option<String>,
    pub(super) details: Option<String>,
    pub(super) received_status: Option<u16>,
    /// A status was received, valid or not.
    pub(super) received: bool,
    /// Another intermediary, nearer the origin, handled the response.
    pub(super) relayed: bool,
}

impl ProxyStatus {
    /// Returns the name of the intermediary.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// Returns the error type, which need not be the token of a [`Cause`](crate::Cause) (RFC 9209 §2.1.1).
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
