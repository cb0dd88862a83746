//! Attribute values of OpenTelemetry's semantic conventions for HTTP, used by logs and metrics.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/>

use http::{Method, StatusCode, Uri};

/// The value for an unknown method or error.
pub(crate) const OTHER: &str = "_OTHER";

/// Returns the name of a method of RFC 9110 §9 or RFC 5789, or QUERY. Returns `None` for any other.
pub(crate) fn method_name(method: &Method) -> Option<&'static str> {
    const NAMES: [&str; 10] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    NAMES.into_iter().find(|name| method.as_str() == *name)
}

/// The text of each status code from 100 to 999.
static STATUS_TEXTS: [[u8; 3]; 900] = {
    let mut texts = [[b'0'; 3]; 900];
    let mut index = 0;
    while index < texts.len() {
        let status = index + 100;
        let digits = [status / 100, status / 10 % 10, status % 10];
        texts[index] = [b'0' + digits[0] as u8, b'0' + digits[1] as u8, b'0' + digits[2] as u8];
        index += 1;
    }
    texts
};

/// Returns a status code as static text. [`StatusCode::as_str`] borrows from the status code.
pub(crate) fn status_text(status: StatusCode) -> &'static str {
    let digits = STATUS_TEXTS.get(usize::from(status.as_u16()) - 100);
    digits.and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Returns the default port of the URL's scheme.
pub(crate) fn default_port(uri: &Uri) -> Option<u16> {
    match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_text_matches_as_str_for_every_code() {
        for code in 100..1_000 {
            let code = StatusCode::from_u16(code).unwrap();
            assert_eq!(status_text(code), code.as_str());
        }
    }
}
