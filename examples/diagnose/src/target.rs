//! What is asked for, and how it may be shown.

use std::fmt::Write;

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
    let query = url.query().map(masked);
    url.set_query(query.as_deref());
    url.into()
}

fn masked(query: &str) -> String {
    let mut out = String::new();
    for (at, pair) in query.split('&').enumerate() {
        let (name, value) = pair.split_once('=').map_or((pair, None), |(n, v)| (n, Some(v)));
        let and = if at == 0 { "" } else { "&" };
        // Writing to a string does not fail.
        let _ = match value {
            Some(value) if is_secret(name, value) => write!(out, "{and}{name}={REDACTED}"),
            None if name.len() >= SECRET_LENGTH => write!(out, "{and}{REDACTED}"),
            _ => write!(out, "{and}{pair}"),
        };
    }
    out
}

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // A name that is written in escapes hides something.
    let named = name.contains('%') || SECRET.iter().any(|secret| name.contains(secret));
    let long = value.len() >= SECRET_LENGTH && !value.contains('+') && !value.contains("%20");
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
