//! Queries without the secrets in them.

use std::fmt;

/// Keys whose values are secrets, in letters and digits alone.
///
/// The first seven are those of the convention for `url.full`:
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-full>
const SECRET: &[&str] = &[
    "awsaccesskeyid",
    "signature",
    "sig",
    "xgoogsignature",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    "token",
    "key",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "password",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "passcode",
    "pincode",
    "secret",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "assertion",
    "samlresponse",
    "session",
    "sessionid",
    "sessid",
    "sid",
    "cookie",
    "jwt",
    "bearer",
    "hmac",
    "otp",
    "pin",
    "verifier",
    "accesscode",
    "authcode",
    "authorizationcode",
    "devicecode",
    "mfacode",
    "otpcode",
    "recoverycode",
    "securitycode",
    "smscode",
    "verificationcode",
];

/// Those that are secrets only if nothing stands in front: of `zip_code` and its like there are too many.
const WHOLE_KEYS: &[&str] = &["code", "ticket"];

/// Those that are secrets whatever follows: `token_hint`.
const KEY_PARTS: &[&str] =
    &["token", "password", "passwd", "passphrase", "secret", "credential", "credentials"];

/// Shorter ones are too often the end of another word, such as `monkey`, to be taken for one, unless they are a word.
const MIN_SUFFIX_LEN: usize = 5;

/// The length of the shortest.
const MIN_KEY_LEN: usize = 3;

/// Of a longer key only its end is compared, in letters; no key of those is longer.
const MAX_KEY_LEN: usize = 64;

/// Which keys of a query have values that nobody is to see.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    more: Vec<String>,
}

impl Secrets {
    pub(super) fn add(&mut self, key: &str) {
        self.more.push(key.chars().filter_map(letter).collect());
    }

    /// `Api-Key` and `api_key` are one; `user[password]` and `p%61ssword` are `password`; `refresh_token` ends in
    /// `token`; `userKey` and `user_key` end in the word `key`, and `monkey` does not.
    fn has(&self, key: &str) -> bool {
        if key.len() < self.shortest() {
            return false;
        }
        // In letters and digits, with a capital where a word begins.
        let mut words = String::new();
        let (mut at, mut before) = (0, b'_');
        while at < key.len() {
            let unit = Unit::at(key.as_bytes(), at);
            at += unit.len;
            if matches!(unit.byte, b'[' | b']' | b'.') {
                if self.has_end(&words) {
                    return true;
                }
                words.clear();
            } else if let Some(letter) = letter(char::from(unit.byte)) {
                // Only the end counts once it is long.
                if words.len() >= 2 * MAX_KEY_LEN {
                    words.drain(..MAX_KEY_LEN);
                }
                if begins_word(before, unit.byte) {
                    if ends_in_any(&words, KEY_PARTS) {
                        return true;
                    }
                    words.push(letter.to_ascii_uppercase());
                } else {
                    words.push(letter);
                }
            }
            before = unit.byte;
        }
        self.has_end(&words)
    }

    fn shortest(&self) -> usize {
        if self.more.is_empty() { MIN_KEY_LEN } else { 0 }
    }

    fn has_end(&self, words: &str) -> bool {
        WHOLE_KEYS.iter().any(|known| words.eq_ignore_ascii_case(known))
            || ends_in_any(words, SECRET)
            || ends_in_any(words, &self.more)
    }
}

fn begins_word(before: u8, byte: u8) -> bool {
    !before.is_ascii_alphanumeric()
        || (before.is_ascii_lowercase() && byte.is_ascii_uppercase())
        || (before.is_ascii_digit() && byte.is_ascii_alphabetic())
}

/// `password2` is a `password`; `tenant_2` may be known as it is.
fn ends_in_any(words: &str, known: &[impl AsRef<str>]) -> bool {
    let bare = words.trim_end_matches(|c: char| c.is_ascii_digit());
    let known = known.iter().map(AsRef::as_ref);
    { known }.any(|known| ends_in(bare, known) || (bare != words && ends_in(words, known)))
}

fn ends_in(words: &str, known: &str) -> bool {
    let Some(start) = words.len().checked_sub(known.len()) else { return false };
    let end = &words[start..];
    let is_word = || start == 0 || end.starts_with(|c: char| !c.is_ascii_lowercase());
    end.eq_ignore_ascii_case(known) && (known.len() >= MIN_SUFFIX_LEN || is_word())
}

fn letter(c: char) -> Option<char> {
    c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase())
}

/// A byte of a query, which may be percent-encoded, more than once if it is a URL within a URL.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    len: usize,
    depth: usize,
}

impl Unit {
    fn at(bytes: &[u8], at: usize) -> Self {
        let plain = Self { byte: bytes[at], len: 1, depth: 0 };
        if plain.byte != b'%' {
            return plain;
        }
        let (mut digits, mut depth) = (at + 1, 1);
        while bytes[digits..].starts_with(b"25") {
            digits += 2;
            depth += 1;
        }
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(digits), digit(digits + 1)) {
            (Some(high), Some(low)) => {
                Self { byte: (high * 16 + low) as u8, len: digits + 2 - at, depth }
            }
            _ => Self { byte: b'%', len: digits - at, depth: depth - 1 },
        }
    }
}

/// A part of a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Plain(&'a str),
    /// A value, whose key this is.
    Secret(&'a str),
}

/// Takes a query apart.
pub(super) fn parts<'a>(query: &'a str, secrets: &Secrets, mut each: impl FnMut(Part<'a>)) {
    let bytes = query.as_bytes();
    let (mut at, mut plain, mut key, mut slash) = (0, 0, 0, false);
    while at < bytes.len() {
        let unit = Unit::at(bytes, at);
        let next = at + unit.len;
        match unit.byte {
            b'=' if secrets.has(&query[key..at]) => {
                each(Part::Plain(&query[plain..next]));
                each(Part::Secret(&query[key..at]));
                // An `&` that is encoded once more than the `=` is part of the value.
                at = end_of_value(bytes, next, unit.depth);
                (plain, key) = (at, at);
            }
            // A URL within: its user and password.
            b'/' if slash => match end_of_user(bytes, next) {
                Some(end) => {
                    each(Part::Plain(&query[plain..next]));
                    each(Part::Secret("userinfo"));
                    (at, plain) = (end, end);
                }
                None => at = next,
            },
            b'=' | b'&' | b';' | b'?' | b'#' => {
                at = next;
                key = next;
            }
            _ => at = next,
        }
        slash = unit.byte == b'/';
    }
    if plain < query.len() {
        each(Part::Plain(&query[plain..]));
    }
}

/// Where the `@` of an authority stands (RFC 3986 §3.2).
fn end_of_user(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut user = None;
    while at < bytes.len() {
        let unit = Unit::at(bytes, at);
        match unit.byte {
            b'@' => user = Some(at),
            b'/' | b'?' | b'#' | b'&' => break,
            _ => {}
        }
        at += unit.len;
    }
    user
}

fn end_of_value(bytes: &[u8], mut at: usize, depth: usize) -> usize {
    while at < bytes.len() {
        let unit = Unit::at(bytes, at);
        if unit.byte == b'&' && unit.depth <= depth {
            break;
        }
        at += unit.len;
    }
    at
}

/// What stands in place of a secret.
pub(super) const REDACTED: &str = "REDACTED";

/// A query as it may stand in a log.
#[derive(Debug)]
pub(super) struct Redacted<'a>(pub(super) &'a str, pub(super) &'a Secrets);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        parts(self.0, self.1, |part| {
            let text = match part {
                Part::Plain(text) => text,
                Part::Secret(_) => REDACTED,
            };
            result = result.and_then(|()| f.write_str(text));
        });
        result
    }
}
