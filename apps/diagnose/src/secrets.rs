//! The secrets of the request, which must not be printed if a server sends them back.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header::HeaderName};
use url::Url;

use crate::{
    curl,
    target::{self, REDACTED},
};

/// A shorter secret is replaced only as a whole word, because it occurs in unrelated text.
const MIN_SUBSTRING_BYTES: usize = 6;

/// A shorter word is not a secret.
const MIN_BYTES: usize = 3;

/// The minimum length of the start of a secret that is replaced too. Servers truncate values.
const MIN_PREFIX_BYTES: usize = 8;

/// The words of a header value that are the names of authentication schemes.
const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "token"];

/// The secrets of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Collects the secrets: userinfo, secret query values and secret header values, each also as
    /// URLs, HTML and JSON encode it.
    pub(crate) fn new(url: &Url, headers: &HeaderMap) -> Self {
        let mut words = query_values(url);
        words.extend(userinfo(url));
        for (name, value) in headers {
            if let Ok(value) = value.to_str() {
                words.extend(header_words(name, value));
            }
        }
        words.retain(|word| word.len() >= MIN_BYTES);
        let mut all: Vec<String> = words.iter().flat_map(|word| encodings(word)).collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    /// Replaces each secret in a text, and each start of one that has at least eight bytes.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        let mut previous = None;
        while let Some(next) = rest.chars().next() {
            let len = self.0.iter().map(|secret| match_len(previous, rest, secret)).max();
            let len = len.filter(|&len| len > 0);
            match len {
                Some(_) => out.push_str(REDACTED),
                None => out.push(next),
            }
            let (taken, after) = rest.split_at(len.unwrap_or(next.len_utf8()));
            previous = taken.chars().next_back();
            rest = after;
        }
        out
    }
}

fn query_values(url: &Url) -> Vec<String> {
    let decoded = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let raw = url.query().unwrap_or_default().split(['&', ';']);
    let raw = raw.filter_map(|pair| pair.split_once('='));
    let raw = raw.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let secret = decoded.chain(raw).filter(|(name, value)| target::is_secret(name, value));
    secret.map(|(_, value)| value).collect()
}

/// Returns user and password, and the credentials that the request contains for them.
fn userinfo(url: &Url) -> Vec<String> {
    let parts = [Some(url.username()), url.password()];
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    let mut words: Vec<_> = parts.map(ToOwned::to_owned).collect();
    if !words.is_empty() {
        let credentials = target::userinfo_bytes(url);
        words.push(BASE64_STANDARD.encode(&credentials));
        words.extend(split_credentials(&credentials));
    }
    words
}

/// Returns the words of a header value that may be secret, and the values of its `name=value` pairs.
fn header_words(name: &HeaderName, value: &str) -> Vec<String> {
    if curl::is_public(name) {
        return Vec::new();
    }
    let mut words = Vec::new();
    for word in value.split([' ', '\t', ';', ',']) {
        let word = word.trim_matches('"');
        if SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
            continue;
        }
        words.push(word.to_owned());
        // The padding of base64 is no pair.
        if let Some((_, value)) = word.split_once('=').filter(|(_, value)| !value.is_empty()) {
            words.push(value.trim_matches(['"', '=']).to_owned());
        }
        if let Ok(credentials) = BASE64_STANDARD.decode(word) {
            words.extend(split_credentials(&credentials));
        }
    }
    words
}

/// Returns `user:password`, user and password, if the bytes have this form.
fn split_credentials(credentials: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(credentials).ok();
    let Some((user, password)) = text.and_then(|text| text.split_once(':')) else {
        return Vec::new();
    };
    vec![format!("{user}:{password}"), user.to_owned(), password.to_owned()]
}

/// Returns a secret in the encodings of URLs, HTML and JSON.
fn encodings(secret: &str) -> Vec<String> {
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let mut all = vec![
        secret.to_owned(),
        percent_encoding::percent_decode_str(secret).decode_utf8_lossy().into_owned(),
        percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html.replace('"', "&#34;").replace('\'', "&#x27;"),
        json.replace('/', "\\/"),
        json,
    ];
    all.sort();
    all.dedup();
    all
}

/// Returns the number of bytes at the start of a text that are a secret or a long start of it.
fn match_len(previous: Option<char>, text: &str, secret: &str) -> usize {
    let len = common_prefix(text, secret);
    if len < secret.len().min(MIN_PREFIX_BYTES) {
        return 0;
    }
    let is_inside_word = previous.is_some_and(char::is_alphanumeric)
        || text[len..].starts_with(char::is_alphanumeric);
    if secret.len() < MIN_SUBSTRING_BYTES && is_inside_word { 0 } else { len }
}

/// Returns the length in bytes of the longest common start.
fn common_prefix(a: &str, b: &str) -> usize {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    common.map(|(c, _)| c.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::Secrets;

    fn secrets(url: &str, header: &'static str, value: &'static str) -> Secrets {
        let mut headers = HeaderMap::new();
        headers.insert(header, HeaderValue::from_static(value));
        Secrets::new(&url.parse().unwrap(), &headers)
    }

    #[test]
    fn redact_replaces_secret_in_every_encoding() {
        let secrets = secrets("http://h/?token=a%2Fb%26c%22d", "x-token", "p<q>&\"r/s");
        for text in ["a/b&c\"d", "a%2Fb%26c%22d", "a/b&amp;c&quot;d", r#"a/b&c\"d"#, r#"a\/b&c\"d"#]
        {
            assert_eq!(secrets.redact(&format!("[{text}]")), "[REDACTED]");
        }
        assert_eq!(secrets.redact("p&lt;q&gt;&amp;&quot;r/s"), "REDACTED");
    }

    #[test]
    fn redact_replaces_parts_of_cookies_and_credentials() {
        let cookie = secrets("http://h/", "cookie", "a=hunter2; b=pw1");
        assert_eq!(cookie.redact("hunter2, pw1, xpw1x"), "REDACTED, REDACTED, xpw1x");
        // The base64 of `me:hunter2`.
        let basic = secrets("http://h/", "authorization", "Basic bWU6aHVudGVyMg==");
        assert_eq!(basic.redact("Basic bWU6aHVudGVyMg== is hunter2"), "Basic REDACTED is REDACTED");
        let url = secrets("http://me:hunter2@h/", "accept", "*/*");
        assert_eq!(url.redact("bWU6aHVudGVyMg== is hunter2"), "REDACTED is REDACTED");
    }

    #[test]
    fn redact_replaces_start_of_truncated_secret() {
        let secrets = secrets("http://h/", "authorization", "Bearer sk-abcdefghij");
        assert_eq!(secrets.redact("got sk-abcdef…"), "got REDACTED…");
        assert_eq!(secrets.redact("got sk-…"), "got sk-…");
    }
}
