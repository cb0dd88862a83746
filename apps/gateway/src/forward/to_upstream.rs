//! Sets the URL of the upstream. Runs for each attempt; all other steps run once per request.

use http::{
    HeaderValue, Request, Uri,
    header::{CONNECTION, TE, UPGRADE},
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
    offers_http2: bool,
}

impl ToUpstream {
    /// # Errors
    /// Returns an error if the URL is invalid as that of an upstream: see [`UpstreamUri`].
    pub(crate) fn new(url: Uri) -> Result<Self, InvalidUpstreamUri> {
        Ok(Self { upstream: url.try_into()?, offers_http2: false })
    }

    /// Sets that the connections may use HTTP/2, in which `TE` is not listed in `Connection`.
    pub(crate) fn http2(self) -> Self {
        Self { offers_http2: true, ..self }
    }

    /// Rewrites a request that passed [`ForwardLayer`](super::ForwardLayer).
    ///
    /// # Errors
    /// Returns an error if the URL would be too long.
    pub(crate) fn rewrite<B>(&self, request: Request<B>) -> Result<Request<B>, UnsupportedTarget> {
        let mut request = self.upstream.rewrite(request)?;
        let headers = request.headers_mut();
        // RFC 9110 §10.1.4. An upgrade has no `TE`.
        if !self.offers_http2 && headers.contains_key(TE) && !headers.contains_key(UPGRADE) {
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn te_is_connection_option_of_http_1_1_only() {
        let upstream = ToUpstream::new("http://h/base".parse().unwrap()).unwrap();
        for (upstream, is_listed) in [(upstream.clone(), true), (upstream.http2(), false)] {
            let request = Request::get("/x").header(TE, "trailers").body(()).unwrap();
            let request = upstream.rewrite(request).unwrap();
            assert_eq!(request.uri(), "http://h/base/x");
            assert_eq!(request.headers()[TE], "trailers");
            assert_eq!(request.headers().contains_key(CONNECTION), is_listed);
        }
    }
}
