//! What is asked for, and how it may be shown.

use std::fmt::Write;

use http::HeaderMap;
use url::{Host, Url};

/// What stands where something secret was.
pub(crate) const REDACTED: &str = "REDACTED";

/// A longer URL is a mistake, and no server takes it.
const LONGEST: usize = 8 << 10;

/// Parts of names of parameters whose values are not shown.
const SECRET: [&str; 11] =
    ["token", "key", "secret", "pass", "pwd", "sig", "auth", "session", "cred", "code", "jwt"];

/// A value of this length without a space is taken for a secret, whatever its name.
const SECRET_LENGTH: usize = 24;

#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// Safe to print: no user, no values of the query that look secret. ASCII only, as is every `Url`.
    pub(crate) shown: String,
}

impl Target {
    /// Errors never repeat the text: there may be a password in it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err("the URL is longer than 8 KiB".into());
        }
        let prefix = "the URL must begin with http:// or https://";
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(prefix.into());
        }
        let mut url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        url.set_fragment(None);
        let host = url.host().ok_or("the URL has no host")?.to_owned();
        let port = url.port_or_known_default().ok_or(prefix)?;
        if port == 0 {
            return Err("the URL's port is 0".into());
        }
        let shown = shown(&url);
        Ok(Self { url, host, port, shown })
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn has_user(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// What must not be printed, should a server send it back; not what is too short to be told from other text.
    pub(crate) fn secrets(&self, headers: &HeaderMap) -> Vec<String> {
        let values = headers.values().filter_map(|value| value.to_str().ok());
        let words = values.flat_map(str::split_whitespace).map(str::to_owned);
        let query = self.url.query_pairs().filter(|(name, value)| is_secret(name, value));
        let raw = self.url.query().unwrap_or_default().split(['&', ';']);
        let raw = raw.filter_map(|pair| pair.split_once('=')).filter(|(n, v)| is_secret(n, v));
        let all =
            words.chain(query.map(|(_, value)| value.into())).chain(raw.map(|(_, v)| v.into()));
        let password = self.url.password().map(ToOwned::to_owned);
        all.chain(password).filter(|secret| secret.len() >= 6).collect()
    }

    /// Host, and port unless it is the scheme's own: what `Host` says.
    pub(crate) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }
}

/// A URL without what is secret in it.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // They fail only for URLs that can have no user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let query = url.query().map(masked);
    url.set_query(query.as_deref());
    url.into()
}

fn masked(query: &str) -> String {
    let mut out = String::new();
    // Some servers take a semicolon too.
    for part in query.split_inclusive(['&', ';']) {
        let pair = part.trim_end_matches(['&', ';']);
        let end = &part[pair.len()..];
        let (name, value) = pair.split_once('=').map_or((pair, None), |(n, v)| (n, Some(v)));
        // Writing to a string does not fail.
        let _ = match value {
            Some(value) if is_secret(name, value) => write!(out, "{name}={REDACTED}{end}"),
            None if name.len() >= SECRET_LENGTH => write!(out, "{REDACTED}{end}"),
            _ => write!(out, "{part}"),
        };
    }
    out
}

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // A name that is written in escapes hides something.
    let named = name.contains('%') || SECRET.iter().any(|secret| name.contains(secret));
    // A plus is a space, or a digit of base64.
    let is_text =
        value.contains("%20") || value.split('+').all(|word| word.len() < SECRET_LENGTH / 2);
    let long = value.len() >= SECRET_LENGTH && !is_text;
    named || long
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn shown(text: &str) -> String {
        Target::parse(text).unwrap().shown
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("https://me:pw@h/p?a=1&api_key=x#f"), "https://h/p?a=1&api_key=REDACTED");
        assert_eq!(shown("http://h/?%74oken=x"), "http://h/?%74oken=REDACTED");
        let long = "0123456789abcdef0123456789";
        assert_eq!(shown(&format!("http://h/?q={long}")), "http://h/?q=REDACTED");
        assert_eq!(shown(&format!("http://h/?{long}")), "http://h/?REDACTED");
        assert_eq!(shown("http://h/?page=2&q=a+b"), "http://h/?page=2&q=a+b");
    }

    #[test]
    fn what_is_shown_is_plain_ascii_in_one_line() {
        for text in ["http://bücher.example/\u{202e}\u{1b}[31m", "http://h/a b\tc\nd?\u{7}"] {
            let shown = shown(text);
            assert!(shown.chars().all(|c| c.is_ascii_graphic()), "{shown}");
        }
    }

    #[test]
    fn an_error_repeats_nothing() {
        for text in
            ["ftp://me:hunter2@h", "hunter2", "http://me:hunter2@", "http://h:99999/hunter2"]
        {
            let error = Target::parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
