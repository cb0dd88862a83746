//! The keys whose values are secrets.

use super::{Redaction, decode::DecodedByte};

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
    "samlrequest",
    "samlresponse",
    "relaystate",
    "session",
    "sessionid",
    "sessid",
    "sid",
    "cookie",
    "jwt",
    "bearer",
    "hmac",
    "otp",
    "totp",
    "hotp",
    "csrf",
    "xsrf",
    "cvv",
    "cvc",
    "iban",
    "ssn",
    "hdnea",
    "hdnts",
    "hdntl",
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

/// Keys that are secrets only without a prefix, because keys such as `zip_code` and
/// `order_state` are common.
const EXACT_SECRET_KEYS: &[&str] = &["code", "ticket", "state", "nonce", "policy"];

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

impl Redaction {
    /// Adds a key.
    pub(crate) fn add_key(&mut self, key: &str) {
        self.extra_keys.push(key.chars().filter_map(normalize_char).collect());
    }

    /// Returns whether the value of `key` is a secret.
    ///
    /// `Api-Key` and `api_key` match `apikey`. `user[password]` and `p%61ssword` match `password`.
    /// `refresh_token` ends in `token`. `userKey` and `user_key` end in the word `key`; `monkey`
    /// does not.
    pub(super) fn is_secret(&self, key: &str) -> bool {
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
