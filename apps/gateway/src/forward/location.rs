//! `Location` and `Content-Location` of a response.

use http::{
    HeaderMap, HeaderValue, Uri,
    header::{CONTENT_LOCATION, LOCATION},
};

/// Rewrites locations at the upstreams of a service to locations at the gateway.
///
/// A location with the scheme, host and port of an upstream, or without them, becomes
/// `/NAME/…` if its path is the base path or below it. All other locations are unchanged.
#[derive(Clone, Debug)]
pub(super) struct LocationRewriter(pub(super) Vec<Uri>);

impl LocationRewriter {
    pub(super) fn rewrite(&self, headers: &mut HeaderMap, prefix: &str) {
        for name in [LOCATION, CONTENT_LOCATION] {
            let found = headers.get(&name).and_then(|location| location.to_str().ok());
            let rewritten = found.and_then(|location| self.rewritten(location, prefix));
            if let Some(Ok(location)) = rewritten.map(|text| HeaderValue::from_str(&text)) {
                headers.insert(name, location);
            }
        }
    }

    fn rewritten(&self, location: &str, prefix: &str) -> Option<String> {
        // `Uri` has no fragment.
        let (url, fragment) = location.split_at(location.find('#').unwrap_or(location.len()));
        // A browser reads a backslash as a slash, so `/\host` is another host.
        if url.starts_with("//") || url.contains('\\') {
            return None;
        }
        let url: Uri = url.parse().ok()?;
        let is_absolute = url.authority().is_some();
        let rest = self.0.iter().find_map(|base| {
            let is_here = !is_absolute || has_same_origin(base, &url);
            path_below(base, &url).filter(|_| is_here)
        })?;
        let query = url.query().map(|query| ["?", query].concat()).unwrap_or_default();
        Some([prefix, rest, &query, fragment].concat())
    }
}

/// Returns the path below the base path.
fn path_below<'a>(base: &Uri, url: &'a Uri) -> Option<&'a str> {
    let rest = url.path().strip_prefix(base.path().trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn has_same_origin(base: &Uri, url: &Uri) -> bool {
    let port = |uri: &Uri| {
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        uri.port_u16().unwrap_or(default)
    };
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    let has_user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
    !has_user && base.scheme() == url.scheme() && host(base) == host(url) && port(base) == port(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_below_base_path_of_upstream_is_rewritten() {
        let bases = ["http://one:8080/v1/", "https://two"].map(|uri| uri.parse().unwrap());
        let rewriter = LocationRewriter(bases.into());
        for (location, expected) in [
            ("http://one:8080/v1/a?b#c", Some("/n/a?b#c")),
            ("http://ONE:8080/v1", Some("/n")),
            ("/v1/a#/b", Some("/n/a#/b")),
            ("https://two:443/a", Some("/n/a")),
            ("https://two", Some("/n/")),
            ("https://two//evil/a", Some("/n//evil/a")),
            ("http://two/a", None),
            ("http://one/v1/a", None),
            ("http://one:8080/v10/a", None),
            ("http://u@one:8080/v1/a", None),
            ("//one:8080/v1/a", None),
            ("/\\one/v1", None),
            ("http://other/v1/a", None),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(rewriter.rewritten(location, "/n").as_deref(), expected, "{location}");
        }
    }
}
