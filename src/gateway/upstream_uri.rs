use std::{fmt, net::SocketAddr, str::FromStr};

use http::{
    Method, Request, Uri, Version,
    header::HOST,
    uri::{Authority, Parts, PathAndQuery, Scheme},
};

use super::error::{InvalidUpstreamUri, TargetKind, UnsupportedTarget};
use crate::ReceivedTarget;

/// The maximum length of a URL in bytes: that of the `http` crate (`uri::MAX_LEN`).
const MAX_BYTES: usize = u16::MAX as usize - 1;

/// The URL of an upstream: scheme, host, port, and a base path. The [module docs](super) have an
/// example and the rules.
///
/// ```
/// use seawall::gateway::UpstreamUri;
///
/// let upstream: UpstreamUri = "https://billing.internal/api".parse()?;
/// let uri = upstream.uri_for(&"/17?page=2".parse()?)?;
/// assert_eq!(uri, "https://billing.internal/api/17?page=2");
/// // The caller's host has no effect.
/// let uri = upstream.uri_for(&"http://evil.example/17".parse()?)?;
/// assert_eq!(uri, "https://billing.internal/api/17");
/// # Ok::<(), seawall::BoxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamUri {
    scheme: Scheme,
    authority: Authority,
    /// The path without its trailing slashes.
    base_path: Box<str>,
}

impl UpstreamUri {
    /// Returns the URL at the upstream for the target of a caller's request: the caller's path
    /// below the base path, and the caller's query, both unchanged.
    ///
    /// # Errors
    ///
    /// Returns an error if the target has no path, or if the URL would be too long.
    pub fn uri_for(&self, target: &Uri) -> Result<Uri, UnsupportedTarget> {
        let unsupported = |kind| UnsupportedTarget { kind };
        let found = target.path_and_query().filter(|_| target.path().starts_with('/'));
        let found = found.ok_or_else(|| unsupported(TargetKind::NoPath))?;
        let Self { scheme, authority, base_path } = self;
        let bytes = authority.as_str().len() + base_path.len() + found.as_str().len();
        if scheme.as_str().len() + "://".len() + bytes > MAX_BYTES {
            return Err(unsupported(TargetKind::TooLong));
        }
        let path_and_query = if base_path.is_empty() && found.as_str().starts_with('/') {
            found.clone()
        } else {
            // The text begins with a slash, so it has no other parts. A path and a query of valid
            // URLs are valid together.
            let mut text = format!("{base_path}{}", target.path());
            if let Some(query) = target.query() {
                text.extend(["?", query]);
            }
            PathAndQuery::try_from(text).map_err(|_| unsupported(TargetKind::NoPath))?
        };
        let mut parts = Parts::default();
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(authority.clone());
        parts.path_and_query = Some(path_and_query);
        Uri::from_parts(parts).map_err(|_| unsupported(TargetKind::NoPath))
    }

    /// Sets the URL of a request to that at the upstream, and its version to HTTP/1.1. Removes
    /// `Host`, which the client derives from the URL. `LoggingLayer::server` still logs the received
    /// target, from a [`ReceivedTarget`].
    ///
    /// The client can still use HTTP/2. Without the version, it would refuse the request of a
    /// caller that uses HTTP/2 if the connection has HTTP/1.1.
    ///
    /// # Errors
    ///
    /// Returns an error if the method is CONNECT, which requests a tunnel, and in the cases of
    /// [`uri_for`](Self::uri_for).
    pub fn rewrite<B>(&self, mut request: Request<B>) -> Result<Request<B>, UnsupportedTarget> {
        if request.method() == Method::CONNECT {
            return Err(UnsupportedTarget { kind: TargetKind::Connect });
        }
        let uri = self.uri_for(request.uri())?;
        ReceivedTarget::insert(&mut request);
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().remove(HOST);
        Ok(request)
    }
}

impl TryFrom<Uri> for UpstreamUri {
    type Error = InvalidUpstreamUri;

    /// # Errors
    ///
    /// Returns an error unless the URL has the scheme `http` or `https`, a host, and neither a user
    /// nor a query.
    fn try_from(uri: Uri) -> Result<Self, Self::Error> {
        let has_query = uri.query().is_some();
        let parts = uri.into_parts();
        let scheme = parts.scheme.filter(|it| *it == Scheme::HTTP || *it == Scheme::HTTPS);
        let scheme = scheme.ok_or(InvalidUpstreamUri("expected `http://` or `https://`"))?;
        let authority = parts.authority.filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or(InvalidUpstreamUri("expected a host"))?;
        if authority.as_str().contains('@') {
            return Err(InvalidUpstreamUri("expected no user and no password"));
        }
        if has_query {
            return Err(InvalidUpstreamUri("expected no query"));
        }
        let path = parts.path_and_query.as_ref().map_or("/", PathAndQuery::path);
        if !path.starts_with('/') {
            return Err(InvalidUpstreamUri("expected a path that begins with a slash"));
        }
        let base_path = path.trim_end_matches('/').into();
        Ok(Self { scheme, authority, base_path })
    }
}

impl FromStr for UpstreamUri {
    type Err = InvalidUpstreamUri;

    /// # Errors
    ///
    /// Returns an error as `TryFrom<Uri>` does, and for a fragment, which a parsed `Uri` has lost.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('#') {
            return Err(InvalidUpstreamUri("expected no fragment"));
        }
        let uri: Uri = text.parse().map_err(|_| InvalidUpstreamUri("not a URL"))?;
        uri.try_into()
    }
}

/// The upstream at an address, with the scheme `http`.
impl From<SocketAddr> for UpstreamUri {
    fn from(address: SocketAddr) -> Self {
        let authority = match address {
            SocketAddr::V4(address) => address.to_string(),
            // An authority has no zone (RFC 3986 §3.2.2).
            SocketAddr::V6(address) => format!("[{}]:{}", address.ip(), address.port()),
        };
        let authority = authority.parse().expect("the text of an address is an authority");
        Self { scheme: Scheme::HTTP, authority, base_path: "".into() }
    }
}

impl fmt::Display for UpstreamUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.base_path)
    }
}
