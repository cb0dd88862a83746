//! The part of a request path below `/NAME`.

use std::borrow::Cow;

use http::{
    Uri,
    uri::{Parts, PathAndQuery},
};
use percent_encoding::percent_decode_str;

/// The rounds of percent-decoding. An upstream behind another proxy may decode twice.
const DECODING_ROUNDS: usize = 3;

/// Removes `/name` from the path. The path `/name` becomes `/`.
///
/// Returns `None` if the path is not below `/name`, or if the rest is not a path.
pub(super) fn strip_name(uri: &Uri, name: &str) -> Option<Uri> {
    let found = uri.path_and_query()?.as_str();
    let rest = found.strip_prefix('/')?.strip_prefix(name)?;
    let rest: PathAndQuery = match rest.bytes().next() {
        None => PathAndQuery::from_static("/"),
        Some(b'/') => rest.try_into().ok()?,
        Some(b'?') => ["/", rest].concat().try_into().ok()?,
        Some(_) => return None,
    };
    let mut parts = Parts::default();
    parts.path_and_query = Some(rest);
    Uri::from_parts(parts).ok()
}

/// Returns whether a server could resolve the path to one outside of its root, at any of its
/// prefixes. A path such as `/a/../b` stays inside.
///
/// Servers differ, so the path leaves the root if it does so for the least favorable one:
/// - Dots may be percent-encoded, also more than once.
/// - Empty segments may count as none, and the parameters of `..;a` may be removed.
/// - A backslash, `%2f` and `%5c` may separate segments. Beside a dot segment, each is refused.
pub(super) fn leaves_root(path: &str) -> bool {
    // Other paths have no dot segment.
    if !path.contains("/.") && !path.contains(['%', '\\']) {
        return false;
    }
    let mut depth = 0_u32;
    for segment in path.split('/') {
        let segment = decode(segment);
        let pieces = || segment.split(|&byte| matches!(byte, b'/' | b'\\')).map(without_parameters);
        let is_separated = pieces().nth(1).is_some();
        if pieces().any(|piece| piece == b"..") {
            match depth.checked_sub(1) {
                Some(parent) if !is_separated => depth = parent,
                _ => return true,
            }
        } else if pieces().any(|piece| !matches!(piece, b"" | b".")) {
            depth += 1;
        }
    }
    false
}

fn decode(segment: &str) -> Cow<'_, [u8]> {
    if !segment.contains('%') {
        return segment.as_bytes().into();
    }
    let mut text = segment.to_owned();
    for _ in 1..DECODING_ROUNDS {
        // Bytes that are not UTF-8 are no part of a dot segment.
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    percent_decode_str(&text).collect::<Vec<u8>>().into()
}

fn without_parameters(piece: &[u8]) -> &[u8] {
    piece.split(|&byte| byte == b';').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_leaves_root_if_any_server_could_leave_it() {
        for path in [
            "/..",
            "/../",
            "/../a",
            "/a/../..",
            "/a/../../b",
            "/%2e%2e/a",
            "/%2E./a",
            "/.%2e",
            "/%252e%252e/a",
            "/a//../../b",
            "/./../a",
            "/..;x/a",
            "/a/..;/..;/b",
            "/..%2fa",
            "/a%2f..%2f..%2fb",
            "/..%5ca",
            "/..\\a",
            "/a/b\\..\\..\\..",
            "/a/%2e%2e%2f%2e%2e/b",
            "/%2f../a",
            "/a%2fb/../../c",
            "/;x/../a",
            "/a/..%00/../../b/../../c",
            "/a/b/c%5c..",
        ] {
            assert!(leaves_root(path), "{path}");
        }
        for path in [
            "/",
            "/a",
            "/a/../b",
            "/a/./b",
            "/.",
            "/a/%2e/b",
            "/...",
            "/..a",
            "/a..",
            "/.well-known",
            "/a/b/../../c",
            "/a%2fb",
            "/a%20b/c",
            "/a/b%2ec",
            "/%",
            "/%zz",
            "/a\\b",
            "/v1..v2/%2f",
            "/a;b/../c",
            "/x%25",
        ] {
            assert!(!leaves_root(path), "{path}");
        }
    }

    #[test]
    fn name_is_stripped_from_path_with_query() {
        for (uri, expected) in [
            ("/n", Some("/")),
            ("/n/", Some("/")),
            ("/n?a=b", Some("/?a=b")),
            ("/n/x/?a=/n", Some("/x/?a=/n")),
            ("http://h/n/x", Some("/x")),
            ("/n//h/x", Some("//h/x")),
            ("/name/x", None),
            ("/x/n", None),
        ] {
            let stripped = strip_name(&uri.parse().unwrap(), "n");
            assert_eq!(stripped.map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }
}
