/// Whether the origin processed a request that failed, which decides whether a retry is safe.
///
/// A wrong [`No`](Self::No) repeats a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Processed {
    /// Proven not to be processed, by an observation of *this process*: the connection was refused or never established, the TLS
    /// handshake failed, the request was never written, or HTTP/2 guarantees it (`REFUSED_STREAM`, or `GOAWAY` below the request's
    /// stream: RFC 9113 §8.7). Never concluded from a response.
    No,
    /// Not processed by the account of a response: of a gateway that reached no origin, or of a rate limit. Not a proof, since
    /// pages are relayed byte for byte, and gateways retry by themselves.
    Unlikely,
    /// Unknown. The default.
    Maybe,
    /// Processed: the origin itself responded.
    Yes,
}

impl Processed {
    /// Returns the name used in logs and metrics: `no`, `unlikely`, `maybe` or `yes`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unlikely => "unlikely",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

impl std::fmt::Display for Processed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
