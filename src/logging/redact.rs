//! Redaction of secrets in queries.

use std::fmt;

/// The keys whose values are secrets, reduced to lowercase letters and digits.
///
/// The first seven are listed in the convention for `url.full`:
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/#url-full>
const SECRET_KEYS: &[&str] = &[
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

/// Keys that are secrets only without a prefix, because keys such as `zip_code` are common.
const EXACT_SECRET_KEYS: &[&str] = &["code", "ticket"];

/// Words that make a key a secret even if other words follow, as in `token_hint`.
const SECRET_WORDS: &[&str] =
    &["token", "password", "passwd", "passphrase", "secret", "credential", "credentials"];

/// The minimum length of a key that matches the end of a word. Shorter keys match whole words only,
/// because words such as `monkey` end in them.
const MIN_SUFFIX_LEN: usize = 5;

/// The length of the shortest built-in key.
const MIN_KEY_LEN: usize = 3;

/// The minimum number of trailing letters and digits of a long key that are compared. No built-in
/// key is longer.
const MAX_KEY_LEN: usize = 64;

/// Decides which query keys have secret values.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    extra_keys: Vec<String>,
}

impl Secrets {
    pub(super) fn add(&mut self, key: &str) {
        self.extra_keys.push(key.chars().filter_map(normalize_char).collect());
    }

    /// Returns whether the value of `key` is a secret.
    ///
    /// `Api-Key` and `api_key` match `apikey`. `user[password]` and `p%61ssword` match `password`.
    /// `refresh_token` ends in `token`. `userKey` and `user_key` end in the word `key`; `monkey`
    /// does not.
    fn is_secret(&self, key: &str) -> bool {
        if key.len() < self.min_key_len() {
            return false;
        }
        // The letters and digits so far. The first letter of each word is upper case.
        let mut words = String::new();
        let (mut pos, mut previous) = (0, b'_');
        while pos < key.len() {
            let decoded = DecodedByte::at(key.as_bytes(), pos);
            pos += decoded.len;
            if matches!(decoded.byte, b'[' | b']' | b'.') {
                if self.ends_in_secret(&words) {
                    return true;
                }
                words.clear();
            } else if let Some(c) = normalize_char(char::from(decoded.byte)) {
                // Bounds the memory for a long key. Only its end is compared.
                if words.len() >= 2 * MAX_KEY_LEN {
                    words.drain(..MAX_KEY_LEN);
                }
                if starts_word(previous, decoded.byte) {
                    if ends_in_any(&words, SECRET_WORDS) {
                        return true;
                    }
                    words.push(c.to_ascii_uppercase());
                } else {
                    words.push(c);
                }
            }
            previous = decoded.byte;
        }
        self.ends_in_secret(&words)
    }

    fn min_key_len(&self) -> usize {
        if self.extra_keys.is_empty() { MIN_KEY_LEN } else { 0 }
    }

    fn ends_in_secret(&self, words: &str) -> bool {
        EXACT_SECRET_KEYS.iter().any(|known| words.eq_ignore_ascii_case(known))
            || ends_in_any(words, SECRET_KEYS)
            || ends_in_any(words, &self.extra_keys)
    }
}

fn starts_word(previous: u8, byte: u8) -> bool {
    !previous.is_ascii_alphanumeric()
        || (previous.is_ascii_lowercase() && byte.is_ascii_uppercase())
        || (previous.is_ascii_digit() && byte.is_ascii_alphabetic())
}

/// Returns whether the words end in any of the keys, with or without their trailing digits.
///
/// `password2` matches `password`, and `tenant2` matches a key of that name.
fn ends_in_any(words: &str, keys: &[impl AsRef<str>]) -> bool {
    let without_digits = words.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_match =
        |key| ends_in(without_digits, key) || (without_digits != words && ends_in(words, key));
    keys.iter().map(AsRef::as_ref).any(is_match)
}

fn ends_in(words: &str, key: &str) -> bool {
    let Some(start) = words.len().checked_sub(key.len()) else { return false };
    let suffix = &words[start..];
    let is_word = || start == 0 || suffix.starts_with(|c: char| !c.is_ascii_lowercase());
    suffix.eq_ignore_ascii_case(key) && (key.len() >= MIN_SUFFIX_LEN || is_word())
}

/// Returns an ASCII letter or digit in lower case, or `None` for any other character.
fn normalize_char(c: char) -> Option<char> {
    c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase())
}

/// A byte of a query, percent-decoded. A URL inside a URL may be encoded more than once.
#[derive(Clone, Copy)]
struct DecodedByte {
    byte: u8,
    /// The length of the encoded form, in bytes.
    len: usize,
    /// The number of times that the byte is encoded.
    depth: usize,
}

impl DecodedByte {
    fn at(bytes: &[u8], pos: usize) -> Self {
        let plain = Self { byte: bytes[pos], len: 1, depth: 0 };
        if plain.byte != b'%' {
            return plain;
        }
        let (mut digits, mut depth) = (pos + 1, 1);
        while bytes[digits..].starts_with(b"25") {
            digits += 2;
            depth += 1;
        }
        let digit = |pos: usize| bytes.get(pos).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(digits), digit(digits + 1)) {
            (Some(high), Some(low)) => {
                Self { byte: (high * 16 + low) as u8, len: digits + 2 - pos, depth }
            }
            _ => Self { byte: b'%', len: digits - pos, depth: depth - 1 },
        }
    }
}

/// A part of a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueryPart<'a> {
    Plain(&'a str),
    /// A secret value. Contains its key.
    Secret(&'a str),
}

/// Splits a query into plain parts and secrets, and calls `visit` for each in order.
pub(super) fn for_each_part<'a>(
    query: &'a str,
    secrets: &Secrets,
    mut visit: impl FnMut(QueryPart<'a>),
) {
    let bytes = query.as_bytes();
    let (mut pos, mut plain_start, mut key_start, mut is_after_slash) = (0, 0, 0, false);
    while pos < bytes.len() {
        let decoded = DecodedByte::at(bytes, pos);
        let next = pos + decoded.len;
        match decoded.byte {
            b'=' if secrets.is_secret(&query[key_start..pos]) => {
                visit(QueryPart::Plain(&query[plain_start..next]));
                visit(QueryPart::Secret(&query[key_start..pos]));
                pos = find_value_end(bytes, next, decoded.depth);
                (plain_start, key_start) = (pos, pos);
            }
            // The authority of a URL inside the query, which may have user and password.
            b'/' if is_after_slash => match find_userinfo_end(bytes, next) {
                Some(end) => {
                    visit(QueryPart::Plain(&query[plain_start..next]));
                    visit(QueryPart::Secret("userinfo"));
                    (pos, plain_start) = (end, end);
                }
                None => pos = next,
            },
            b'=' | b'&' | b';' | b'?' | b'#' => {
                pos = next;
                key_start = next;
            }
            _ => pos = next,
        }
        is_after_slash = decoded.byte == b'/';
    }
    if plain_start < query.len() {
        visit(QueryPart::Plain(&query[plain_start..]));
    }
}

/// Returns the position of the last `@` in an authority (RFC 3986 §3.2), if it has one.
fn find_userinfo_end(bytes: &[u8], mut pos: usize) -> Option<usize> {
    let mut userinfo_end = None;
    while pos < bytes.len() {
        let decoded = DecodedByte::at(bytes, pos);
        match decoded.byte {
            b'@' => userinfo_end = Some(pos),
            b'/' | b'?' | b'#' | b'&' => break,
            _ => {}
        }
        pos += decoded.len;
    }
    userinfo_end
}

/// Returns the position of the `&` that ends a value.
///
/// An `&` that is encoded more often than the `=` before the value is part of the value.
fn find_value_end(bytes: &[u8], mut pos: usize, depth: usize) -> usize {
    while pos < bytes.len() {
        let decoded = DecodedByte::at(bytes, pos);
        if decoded.byte == b'&' && decoded.depth <= depth {
            break;
        }
        pos += decoded.len;
    }
    pos
}

/// The replacement for a secret value.
pub(super) const REDACTED: &str = "REDACTED";

/// A query with its secret values replaced by [`REDACTED`].
#[derive(Debug)]
pub(super) struct Redacted<'a>(pub(super) &'a str, pub(super) &'a Secrets);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        for_each_part(self.0, self.1, |part| {
            let text = match part {
                QueryPart::Plain(text) => text,
                QueryPart::Secret(_) => REDACTED,
            };
            result = result.and_then(|()| f.write_str(text));
        });
        result
    }
}
