//! The URL to diagnose, and a redacted form for output.

use std::fmt::Write;

use url::{Host, Url};

/// The replacement for a secret.
pub(crate) const REDACTED: &str = "REDACTED";

/// No common server accepts a longer URL.
const MAX_URL_BYTES: usize = 8 << 10;

/// A query parameter is secret if its name contains one of these.
const SECRET_NAME_PARTS: [&str; 11] =
    ["token", "key", "secret", "pass", "pwd", "sig", "auth", "session", "cred", "code", "jwt"];

/// A query value without spaces is secret if it has at least this many bytes.
const MIN_SECRET_VALUE_BYTES: usize = 24;

/// A run of letters and digits in a path is secret if it has at least this many bytes.
const MIN_TOKEN_RUN_BYTES: usize = 20;

#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// The URL without userinfo and secret query values, safe to print. ASCII, like every `Url`.
    pub(crate) redacted_url: String,
}

impl Target {
    /// Parses a URL. Errors do not quote it, because it may contain a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_URL_BYTES {
            return Err("invalid URL: longer than 8 KiB".into());
        }
        let scheme_error = "invalid URL: expected http:// or https://";
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(scheme_error.into());
        }
        let mut url = Url::parse(text).map_err(|error| format!("invalid URL: {error}"))?;
        url.set_fragment(None);
        let host = url.host().ok_or("invalid URL: no host")?.to_owned();
        let port = url.port_or_known_default().ok_or(scheme_error)?;
        if port == 0 {
            return Err("invalid URL: the port is 0".into());
        }
        let redacted_url = redact_url(&url);
        Ok(Self { url, host, port, redacted_url })
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn has_userinfo(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// Returns the value of the `Host` header: the host, and the port unless it is the default.
    pub(crate) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }
}

/// Removes the secrets from a URL.
pub(crate) fn redact_url(url: &Url) -> String {
    let mut url = url.clone();
    // These fail only if the URL cannot have userinfo.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let query = url.query().map(redact_query);
    url.set_query(query.as_deref());
    let path = redact_path(url.path());
    url.set_path(&path);
    url.into()
}

/// Returns user and password as an `Authorization` header contains them before base64.
pub(crate) fn userinfo_bytes(url: &Url) -> Vec<u8> {
    let parts = [url.username(), url.password().unwrap_or_default()];
    parts.map(|part| percent_encoding::percent_decode_str(part).collect::<Vec<u8>>()).join(&b':')
}

/// Replaces the segments of a path that look like tokens.
pub(crate) fn redact_path(path: &str) -> String {
    let segments =
        path.split('/').map(|segment| if is_token(segment) { REDACTED } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Returns whether a segment contains a long run of letters and digits, as tokens do, or is the
/// token of a bot (`bot123456:…`).
///
/// UUIDs and words between hyphens are shorter.
fn is_token(segment: &str) -> bool {
    let is_bot = segment
        .strip_prefix("bot")
        .and_then(|rest| rest.split_once([':', '%']))
        .is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
    let is_random = |run: &str| {
        run.len() >= MIN_TOKEN_RUN_BYTES
            && run.bytes().any(|b| b.is_ascii_digit())
            && run.bytes().any(|b| b.is_ascii_alphabetic())
    };
    is_bot || segment.split(|c: char| !c.is_ascii_alphanumeric()).any(is_random)
}

fn redact_query(query: &str) -> String {
    let mut out = String::new();
    // Some servers accept semicolons between parameters too.
    for part in query.split_inclusive(['&', ';']) {
        let pair = part.trim_end_matches(['&', ';']);
        let separator = &part[pair.len()..];
        let (name, value) = pair.split_once('=').map_or((pair, None), |(n, v)| (n, Some(v)));
        // Writing to a string does not fail.
        let _ = match value {
            Some(value) if is_secret(name, value) => write!(out, "{name}={REDACTED}{separator}"),
            None if name.len() >= MIN_SECRET_VALUE_BYTES => write!(out, "{REDACTED}{separator}"),
            _ => write!(out, "{part}"),
        };
    }
    out
}

pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // A percent-encoded name may hide a part of a secret name.
    let has_secret_name =
        name.contains('%') || SECRET_NAME_PARTS.iter().any(|secret| name.contains(secret));
    // A plus is an encoded space or a base64 digit, so only short words are text.
    let is_text = value.contains("%20")
        || value.split('+').all(|word| word.len() < MIN_SECRET_VALUE_BYTES / 2);
    let is_long_token = value.len() >= MIN_SECRET_VALUE_BYTES && !is_text;
    has_secret_name || is_long_token
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn redacted(text: &str) -> String {
        Target::parse(text).unwrap().redacted_url
    }

    #[test]
    fn redacted_url_omits_secrets() {
        assert_eq!(
            redacted("https://me:pw@h/p?a=1&api_key=x#f"),
            "https://h/p?a=1&api_key=REDACTED"
        );
        assert_eq!(redacted("http://h/?%74oken=x"), "http://h/?%74oken=REDACTED");
        let long = "0123456789abcdef0123456789";
        assert_eq!(redacted(&format!("http://h/?q={long}")), "http://h/?q=REDACTED");
        assert_eq!(redacted(&format!("http://h/?{long}")), "http://h/?REDACTED");
        assert_eq!(redacted("http://h/?page=2&q=a+b"), "http://h/?page=2&q=a+b");
        assert_eq!(redacted("http://h/bot12:AB-cd/getMe"), "http://h/REDACTED/getMe");
        assert_eq!(
            redacted("http://h/reset/eyJhbGciOiJIUzI1NiJ9.e30/x"),
            "http://h/reset/REDACTED/x"
        );
        let id = "http://h/v1/123e4567-e89b-12d3-a456-426614174000/ten-things-to-do-in-2026";
        assert_eq!(redacted(id), id);
    }

    #[test]
    fn redacted_url_is_printable_ascii() {
        for text in ["http://bücher.example/\u{202e}\u{1b}[31m", "http://h/a b\tc\nd?\u{7}"] {
            let redacted = redacted(text);
            assert!(redacted.chars().all(|c| c.is_ascii_graphic()), "{redacted}");
        }
    }

    #[test]
    fn parse_error_omits_input() {
        for text in
            ["ftp://me:hunter2@h", "hunter2", "http://me:hunter2@", "http://h:99999/hunter2"]
        {
            let error = Target::parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
