//! Sets the URL of the upstream. Runs for each attempt; all other steps run once per request.

use http::{
    HeaderValue, Request, Uri, Version,
    header::{CONNECTION, HOST, TE, UPGRADE},
    uri::Scheme,
};
use seawall::gateway::{InvalidUpstreamUri, UnsupportedTarget, UpstreamUri};

/// Replaces the scheme and the authority by those of an upstream, and puts its base path before the
/// path.
///
/// The targets `/NAME` and `/NAME/` of the service `NAME` both become the base path with a slash at
/// its end.
#[derive(Clone, Debug)]
pub(crate) struct ToUpstream {
    upstream: UpstreamUri,
    /// The value of `Host` over HTTP/1.1. Otherwise the client formats it for each request.
    host: Option<HeaderValue>,
    offers_http2: bool,
}

impl ToUpstream {
    /// # Errors
    /// Returns an error if the URL is invalid as that of an upstream: see [`UpstreamUri`].
    pub(crate) fn new(url: Uri) -> Result<Self, InvalidUpstreamUri> {
        let host = host(&url);
        Ok(Self { upstream: url.try_into()?, host, offers_http2: false })
    }

    /// Sets that the connections may use HTTP/2, in which `TE` is not listed in `Connection`.
    pub(crate) fn http2(self) -> Self {
        Self { host: None, offers_http2: true, ..self }
    }

    /// Rewrites a request that passed [`ForwardLayer`](super::ForwardLayer).
    ///
    /// # Errors
    /// Returns an error if the URL would be too long.
    pub(crate) fn rewrite<B>(&self, request: &mut Request<B>) -> Result<(), UnsupportedTarget> {
        *request.uri_mut() = self.upstream.uri_for(request.uri())?;
        // Without the version, the client would refuse the request of a caller that uses HTTP/2 if
        // the connection has HTTP/1.1.
        *request.version_mut() = Version::HTTP_11;
        let headers = request.headers_mut();
        match &self.host {
            Some(host) => drop(headers.insert(HOST, host.clone())),
            None => drop(headers.remove(HOST)),
        }
        // RFC 9110 §10.1.4. An upgrade has no `TE`.
        if !self.offers_http2 && headers.contains_key(TE) && !headers.contains_key(UPGRADE) {
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
        Ok(())
    }
}

/// Returns the host without a default port, as hyper-util's client sends it.
fn host(url: &Uri) -> Option<HeaderValue> {
    let authority = url.authority()?;
    let default_port = if url.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let has_port = authority.port_u16().is_some_and(|port| port != default_port);
    let host = if has_port { authority.as_str() } else { authority.host() };
    HeaderValue::from_str(host).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn te_is_connection_option_of_http_1_1_only() {
        let upstream = ToUpstream::new("http://h/base".parse().unwrap()).unwrap();
        for (upstream, is_listed) in [(upstream.clone(), true), (upstream.http2(), false)] {
            let mut request = Request::get("/x").header(TE, "trailers").body(()).unwrap();
            upstream.rewrite(&mut request).unwrap();
            assert_eq!(request.uri(), "http://h/base/x");
            assert_eq!(request.headers()[TE], "trailers");
            assert_eq!(request.headers().contains_key(CONNECTION), is_listed);
        }
    }

    #[test]
    fn host_is_that_of_url_without_default_port() {
        for (url, expected) in [
            ("http://h/base", "h"),
            ("http://h:80", "h"),
            ("https://h:443", "h"),
            ("http://h:443", "h:443"),
            ("https://[::1]:8443", "[::1]:8443"),
        ] {
            let upstream = ToUpstream::new(url.parse().unwrap()).unwrap();
            let mut request = Request::get("/x").header(HOST, "caller").body(()).unwrap();
            upstream.rewrite(&mut request).unwrap();
            assert_eq!(request.headers()[HOST], expected);
            upstream.http2().rewrite(&mut request).unwrap();
            assert!(!request.headers().contains_key(HOST));
        }
    }
}
