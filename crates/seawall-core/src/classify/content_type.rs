use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

/// Returns whether a body is readable text: not compressed, and text, JSON, XML, HTML or without a type.
#[must_use]
pub fn is_plain_text(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|it| it.as_bytes().eq_ignore_ascii_case(b"identity"))
        && headers.get(CONTENT_TYPE).is_none_or(|value| is_text(value.as_bytes()))
}

fn is_text(content_type: &[u8]) -> bool {
    let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    essence.starts_with(b"text/")
        || essence.ends_with(b"json")
        || essence.ends_with(b"html")
        || essence.ends_with(b"+xml")
}
