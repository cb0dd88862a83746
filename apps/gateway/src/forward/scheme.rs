//! The scheme of the connection between the caller and the gateway.

/// A request extension with the scheme of the caller's connection. Without it, the scheme is
/// `http`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scheme {
    #[default]
    Http,
    #[allow(dead_code, reason = "a listener with TLS inserts it")]
    Https,
}

impl Scheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
