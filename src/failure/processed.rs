/// Whether the origin may have acted on a request that failed: what decides if it is safe to send it again.
///
/// A wrong [`No`](Self::No) repeats somebody's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Processed {
    /// Proven that it did not, by what *this process* saw: the connection was refused or never made, the TLS
    /// handshake failed, the request was never written, or HTTP/2 said so (`REFUSED_STREAM`, or `GOAWAY` below the
    /// request's stream: RFC 9113 §8.7). Never concluded from a response.
    No,
    /// A response says that it did not: a gateway that reached no origin, a rate limit. No proof, since pages are
    /// relayed byte for byte and gateways send requests again by themselves.
    Unlikely,
    /// Not known. The default.
    Maybe,
    /// It did: the origin itself answered.
    Yes,
}

impl Processed {
    /// The name used in logs and metrics: `no`, `unlikely`, `maybe` or `yes`.
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
