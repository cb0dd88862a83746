//! The normalization of hosts and paths (RFC 3986 §6.2.2), so that no spelling of a URL avoids its
//! route.

use std::borrow::Cow;

use http::Uri;

use crate::keys::by_authority;

/// Returns the key of host and port by [`by_authority`], without the trailing dot of the host. That
/// dot marks a fully qualified name (RFC 3986 §3.2.2).
pub(super) fn authority(uri: &Uri) -> Option<Cow<'_, str>> {
    let authority = by_authority(uri)?;
    let host_end = match authority.rsplit_once(':') {
        Some((host, _)) if !authority.ends_with(']') => host.len(),
        _ => authority.len(),
    };
    let (host, port) = authority.split_at(host_end);
    match host.strip_suffix('.') {
        Some(host) => Some(Cow::Owned(format!("{host}{port}"))),
        None => Some(authority),
    }
}

/// Returns the path without dot segments and empty segments, in one form of percent-encoding.
///
/// Allocates only if the path changes. A changed path has no trailing slash, so the root becomes
/// empty. Double slashes are merged before `..` is resolved, as in nginx (`merge_slashes`) and Go
/// (`path.Clean`).
pub(super) fn path(path: &str) -> Cow<'_, str> {
    let bytes = path.as_bytes();
    let differs = |(at, &byte): (usize, &u8)| {
        let next = bytes.get(at + 1);
        !is_path_byte(byte) || (byte == b'/' && matches!(next, Some(b'/' | b'.')))
    };
    if !bytes.iter().enumerate().any(differs) {
        return Cow::Borrowed(path);
    }
    let encoded = normalize_encoding(bytes);
    let mut normal = String::with_capacity(encoded.len());
    for segment in encoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => normal.truncate(normal.rfind('/').unwrap_or(0)),
            _ => normal.extend(["/", segment]),
        }
    }
    Cow::Owned(normal)
}

/// Decodes the octets of unreserved characters. Encodes other octets with upper-case digits
/// (§6.2.2.1, §6.2.2.2), also a percent sign without two hexadecimal digits.
fn normalize_encoding(path: &[u8]) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        let (octet, len) = match tail {
            [high, low, ..] if *byte == b'%' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (*byte, 1),
            },
            _ => (*byte, 1),
        };
        rest = &rest[len..];
        let is_plain = if len == 1 { is_path_byte(octet) } else { is_unreserved(octet) };
        if is_plain {
            normal.push(char::from(octet));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            let digits =
                [octet >> 4, octet & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            normal.extend(['%', digits[0], digits[1]]);
        }
    }
    normal
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 §3.3: `pchar` without percent-encoding, and the slash. The `http` crate accepts more,
/// such as letters outside ASCII.
const fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
        )
}
