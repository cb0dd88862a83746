//! An error object in place of a JSON answer.

use super::json::Json;

/// Returns whether a JSON text that begins with these bytes may be an error: its first member is
/// `error`, or is `type` or `object` with the value `error`. Gemini without `alt=sse` sends an array of objects.
pub(super) fn may_be_error(bytes: &[u8]) -> bool {
    !matches!(check(bytes), Err(Mismatch::Other))
}

/// Parses the error of a complete JSON text.
pub(super) fn parse(bytes: &[u8]) -> Option<Json<'_>> {
    if !may_be_error(bytes) {
        return None;
    }
    match Json::parse(str::from_utf8(bytes).ok()?)? {
        Json::Array(items) => items.into_iter().next(),
        value => Some(value),
    }
}

/// The reason why a text is not recognized as an error.
enum Mismatch {
    /// The text ends too early.
    Incomplete,
    Other,
}

fn check(bytes: &[u8]) -> Result<(), Mismatch> {
    let mut bytes = bytes.trim_ascii_start();
    if let [b'[', rest @ ..] = bytes {
        bytes = rest;
    }
    let (name, rest) = string(skip(bytes, b'{')?)?;
    match name {
        b"error" => return Ok(()),
        b"type" | b"object" => {}
        _ => return Err(Mismatch::Other),
    }
    let (value, _) = string(skip(rest, b':')?)?;
    if value == b"error" { Ok(()) } else { Err(Mismatch::Other) }
}

/// Skips white space and `expected`.
fn skip(bytes: &[u8], expected: u8) -> Result<&[u8], Mismatch> {
    match bytes.trim_ascii_start().split_first() {
        None => Err(Mismatch::Incomplete),
        Some((&first, rest)) if first == expected => Ok(rest),
        Some(_) => Err(Mismatch::Other),
    }
}

/// Splits off a string at the beginning. A string that is longer than all names in question does not
/// match.
fn string(bytes: &[u8]) -> Result<(&[u8], &[u8]), Mismatch> {
    const MAX_LEN: usize = 16;
    let rest = skip(bytes, b'"')?;
    match rest.iter().take(MAX_LEN).position(|&byte| byte == b'"') {
        Some(len) => Ok((&rest[..len], &rest[len + 1..])),
        None if rest.len() < MAX_LEN => Err(Mismatch::Incomplete),
        None => Err(Mismatch::Other),
    }
}
