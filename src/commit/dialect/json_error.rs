//! An error object in place of a JSON answer.

use serde_json::Value;

/// Returns whether a JSON text that begins with these bytes may be an error: its first member is
/// `error`, or is `type` or `object` with the value `error`. Gemini without `alt=sse` sends an array of objects.
pub(super) fn may_be_error(bytes: &[u8]) -> bool {
    begins_as_error(bytes).unwrap_or(true)
}

/// Parses the error of a complete JSON text.
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    if !may_be_error(bytes) {
        return None;
    }
    match serde_json::from_slice(bytes).ok()? {
        Value::Array(items) => items.into_iter().next(),
        value => Some(value),
    }
}

/// Returns `None` if the bytes end too early.
fn begins_as_error(bytes: &[u8]) -> Option<bool> {
    let mut bytes = bytes.trim_ascii_start();
    if let [b'[', rest @ ..] = bytes {
        bytes = rest.trim_ascii_start();
    }
    let Some(rest) = skip(bytes, b'{')? else { return Some(false) };
    let Some((name, rest)) = string(rest)? else { return Some(false) };
    match name {
        b"error" => return Some(true),
        b"type" | b"object" => {}
        _ => return Some(false),
    }
    let Some(rest) = skip(rest, b':')? else { return Some(false) };
    let value = string(rest)?;
    Some(value.is_some_and(|(value, _)| value == b"error"))
}

/// Skips white space and `expected`. The inner `None` is another byte.
fn skip(bytes: &[u8], expected: u8) -> Option<Option<&[u8]>> {
    let (&first, rest) = bytes.trim_ascii_start().split_first()?;
    Some((first == expected).then_some(rest))
}

/// Splits off a string at the beginning. The inner `None` is another value, or a string too long for
/// a name that is looked for.
fn string(bytes: &[u8]) -> Option<Option<(&[u8], &[u8])>> {
    const MAX_LEN: usize = 16;
    let Some(rest) = skip(bytes, b'"')? else { return Some(None) };
    match rest.iter().take(MAX_LEN).position(|&byte| byte == b'"') {
        Some(len) => Some(Some((&rest[..len], &rest[len + 1..]))),
        None if rest.len() < MAX_LEN => None,
        None => Some(None),
    }
}
