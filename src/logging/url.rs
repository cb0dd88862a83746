//! The URL of a request, kept until its line is written.

use std::sync::OnceLock;

use http::{
    Uri,
    uri::{Authority, Parts, PathAndQuery, Scheme},
};

/// A longer one is kept as it is, in bytes. Most are shorter, and each call that is heard of has room for so many.
const LONGEST: usize = 256;

/// A copy of the text, made in a place that is used again: parts that are shared would have to be counted up and down,
/// and would keep the buffer alive that a connection has read them into. Most requests are never logged, so it is not
/// parsed again before somebody asks.
#[derive(Debug)]
pub(super) struct Url {
    /// Empty: there is none.
    scheme: &'static str,
    /// Authority, path and query. In here, not in a `String`, which would be asked twice whether it is long enough.
    text: [u8; LONGEST],
    /// Where the authority ends.
    path: usize,
    /// Where the query ends.
    end: usize,
    /// In place of all those, if it is too long, or asked for at once.
    whole: Option<Uri>,
    parsed: OnceLock<Uri>,
}

impl Default for Url {
    fn default() -> Self {
        let text = [0; LONGEST];
        Self { scheme: "", text, path: 0, end: 0, whole: None, parsed: OnceLock::new() }
    }
}

impl Url {
    /// Keeps another one, unless it is to be kept [as it is](Self::keep_whole).
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for each request, by one caller")]
    pub(super) fn keep(&mut self, uri: &Uri) -> bool {
        let authority = uri.authority().map_or("", Authority::as_str);
        let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
        self.scheme = match uri.scheme_str() {
            None => "",
            Some("http") => "http",
            Some("https") => "https",
            Some(_) => return false,
        };
        let Some((first, rest)) = self.text.split_at_mut_checked(authority.len()) else {
            return false;
        };
        let Some(second) = rest.get_mut(..path.len()) else { return false };
        first.copy_from_slice(authority.as_bytes());
        second.copy_from_slice(path.as_bytes());
        self.path = authority.len();
        self.end = authority.len() + path.len();
        true
    }

    /// Keeps another one as it is.
    #[inline(never)]
    pub(super) fn keep_whole(&mut self, uri: &Uri) {
        self.whole = Some(uri.clone());
    }

    /// Lets go of what is not used again.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.whole = None;
        if self.parsed.get().is_some() {
            self.parsed = OnceLock::new();
        }
    }

    pub(super) fn get(&self) -> &Uri {
        match &self.whole {
            Some(uri) => uri,
            None => self.parsed.get_or_init(|| self.parse().unwrap_or_default()),
        }
    }

    fn parse(&self) -> Option<Uri> {
        let text = str::from_utf8(self.text.get(..self.end)?).ok()?;
        let (authority, path) = text.split_at_checked(self.path)?;
        let mut parts = Parts::default();
        parts.scheme = some(self.scheme).and_then(|it| Scheme::try_from(it).ok());
        parts.authority = some(authority).and_then(|it| Authority::try_from(it).ok());
        parts.path_and_query = some(path).and_then(|it| PathAndQuery::try_from(it).ok());
        Uri::from_parts(parts).ok()
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(uri: &Uri) -> Uri {
        let mut url = Url::default();
        assert!(url.keep(&Uri::from_static("https://before.example:1/x?y")));
        assert_eq!(url.get().host(), Some("before.example"));
        url.clear();
        if !url.keep(uri) {
            url.keep_whole(uri);
        }
        url.get().clone()
    }

    #[test]
    fn what_is_kept_is_what_was_asked_for() {
        let long = format!("http://h/{}?{}", "p".repeat(3_000), "q".repeat(3_000));
        let urls = [
            "http://user:pass@host:8080/a/b?c=d&e",
            "https://[::1]:443/",
            "http://host",
            "http://host?query",
            "ftp://host/%2e%2E/;x",
            "/",
            "/path?query?more",
            "/p\u{e4}th?qu\u{e9}ry",
            "//double",
            "*",
            "host:443",
            "host",
            "user@host:1",
            &long,
        ];
        for text in urls {
            let Ok(uri) = text.parse::<Uri>() else { panic!("{text}") };
            let kept = kept(&uri);
            assert_eq!(kept, uri);
            assert_eq!(kept.to_string(), uri.to_string());
            assert_eq!(kept.scheme_str(), uri.scheme_str());
            assert_eq!((kept.host(), kept.port_u16()), (uri.host(), uri.port_u16()), "{text}");
            assert_eq!((kept.path(), kept.query()), (uri.path(), uri.query()), "{text}");
        }
    }

    #[test]
    fn a_long_one_leaves_nothing_to_the_next() {
        let mut url = Url::default();
        let long = format!("/{}", "x".repeat(LONGEST)).parse().unwrap();
        assert!(!url.keep(&long));
        url.keep_whole(&long);
        url.clear();
        assert!(url.keep(&Uri::from_static("/short")));
        assert_eq!(url.get(), "/short");
    }
}
