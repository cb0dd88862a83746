//! Removal of the gateway's tokens from a request.
//!
//! A value that equals any token of the gateway, of a client or of `[admin]`, is removed from:
//!
//! - the headers of API keys and `Proxy-Authorization`: alone, after a scheme, or as the user or
//!   password of HTTP Basic;
//! - the cookies;
//! - the query parameter `key`.
//!
//! The token by which the client was admitted is removed from all other headers and query
//! parameters too. A value is removed if it equals the token, or contains a token of at least 16
//! characters, as `Referer` or `Sec-WebSocket-Protocol` may.
//!
//! Credentials that are not tokens of the gateway stay. The path and the body are not searched.

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{COOKIE, PROXY_AUTHORIZATION},
};

use super::{
    credentials::{CREDENTIAL_HEADERS, Credential, KEY_PARAMETER},
    query,
    token::{Token, Tokens},
};

/// The minimum length of a token that is searched inside of a value. A shorter one may be part of
/// an unrelated text.
const MIN_SEARCHED_CHARS: usize = 16;

/// Removes the tokens. `own` is the token by which the client was admitted.
pub(super) fn remove_tokens(
    headers: &mut HeaderMap,
    uri: &mut Uri,
    tokens: &Tokens,
    own: Option<&Token>,
) {
    for name in CREDENTIAL_HEADERS.iter().chain([&PROXY_AUTHORIZATION]) {
        retain_values(headers, name, |value| {
            let forms = Credential::from_header(value).forms;
            (!forms.iter().any(|form| tokens.contains(form))).then(|| value.clone())
        });
    }
    retain_values(headers, &COOKIE, |value| remove_cookies(value, tokens));
    let own = own.map(Token::as_bytes);
    query::remove_parameters(uri, |name, value| {
        own.is_some_and(|own| carries(value.as_bytes(), own))
            || (name == KEY_PARAMETER && tokens.contains(value.as_bytes()))
    });
    // The client knows its own token, so this comparison may take any time.
    if let Some(own) = own {
        let names: Vec<_> = headers
            .iter()
            .filter(|(_, value)| carries(value.as_bytes(), own))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            retain_values(headers, &name, |value| {
                (!carries(value.as_bytes(), own)).then(|| value.clone())
            });
        }
    }
}

fn carries(value: &[u8], own: &[u8]) -> bool {
    value.trim_ascii() == own
        || (own.len() >= MIN_SEARCHED_CHARS && value.windows(own.len()).any(|part| part == own))
}

/// Replaces the values of a header by the returned ones.
fn retain_values(
    headers: &mut HeaderMap,
    name: &HeaderName,
    retain: impl Fn(&HeaderValue) -> Option<HeaderValue>,
) {
    let old = headers.get_all(name);
    let new: Vec<_> = old.iter().filter_map(retain).collect();
    if old.iter().eq(&new) {
        return;
    }
    headers.remove(name);
    for value in new {
        headers.append(name, value);
    }
}

/// Removes the cookies that are tokens. Returns `None` if no cookie is left.
fn remove_cookies(value: &HeaderValue, tokens: &Tokens) -> Option<HeaderValue> {
    let is_token = |pair: &[u8]| {
        let value = pair.splitn(2, |&byte| byte == b'=').last().unwrap_or_default().trim_ascii();
        let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        tokens.contains(unquoted.unwrap_or(value))
    };
    let pairs = || value.as_bytes().split(|&byte| byte == b';');
    if !pairs().any(is_token) {
        return Some(value.clone());
    }
    let rest: Vec<_> = pairs().filter(|pair| !is_token(pair)).map(<[u8]>::trim_ascii).collect();
    let mut rest = HeaderValue::from_bytes(&rest.join(&b"; "[..])).ok()?;
    rest.set_sensitive(value.is_sensitive());
    (!rest.is_empty()).then_some(rest)
}
