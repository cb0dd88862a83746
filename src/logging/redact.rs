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
    "secret",
    "code",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "assertion",
    "samlresponse",
    "session",
    "sessionid",
    "sid",
    "cookie",
    "jwt",
    "bearer",
    "otp",
    "pin",
];

/// Shorter ones are too often the end of another word to be taken for one.
const SHORTEST_END: usize = 5;

/// The length of the shortest.
const SHORTEST: usize = 3;

/// Of a longer key only its end is compared, in letters; no key of those is longer.
const LONGEST: usize = 64;

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
    /// `token`.
    fn has(&self, key: &str) -> bool {
        if key.len() < self.shortest() {
            return false;
        }
        let (mut at, mut word) = (0, String::new());
        while at < key.len() {
            let unit = Unit::at(key.as_bytes(), at);
            at += unit.len;
            if matches!(unit.byte, b'[' | b']' | b'.') {
                if self.has_word(&word) {
                    return true;
                }
                word.clear();
            } else if let Some(letter) = letter(char::from(unit.byte)) {
                // Only the end of a word counts once it is long.
                if word.len() >= 2 * LONGEST {
                    word.drain(..LONGEST);
                }
                word.push(letter);
            }
        }
        self.has_word(&word)
    }

    fn shortest(&self) -> usize {
        if self.more.is_empty() { SHORTEST } else { 0 }
    }

    fn has_word(&self, word: &str) -> bool {
        let is =
            |known: &str| word == known || (known.len() >= SHORTEST_END && word.ends_with(known));
        SECRET.iter().any(|known| is(known)) || self.more.iter().any(|known| is(known))
    }
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
