//! Values of OpenTelemetry's semantic conventions for HTTP, for logs and metrics.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/>

use http::{Method, StatusCode, Uri};

/// The value for a method without a name of its own.
pub(crate) const OTHER: &str = "_OTHER";

/// Returns the name of a known method: one of RFC 9110 §9 or RFC 5789, or QUERY.
pub(crate) fn method(method: &Method) -> Option<&'static str> {
    const NAMES: [&str; 10] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    NAMES.into_iter().find(|name| method.as_str() == *name)
}

/// The digits of every status.
static STATUSES: [[u8; 3]; 900] = {
    let mut all = [[b'0'; 3]; 900];
    let mut at = 0;
    while at < all.len() {
        let status = at + 100;
        let digits = [status / 100, status / 10 % 10, status % 10];
        all[at] = [b'0' + digits[0] as u8, b'0' + digits[1] as u8, b'0' + digits[2] as u8];
        at += 1;
    }
    all
};

/// Returns a status as text. [`StatusCode::as_str`] borrows from the status.
pub(crate) fn status(status: StatusCode) -> &'static str {
    let digits = STATUSES.get(usize::from(status.as_u16()) - 100);
    digits.and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Returns the default port of the URL's scheme.
pub(crate) fn port_of_scheme(uri: &Uri) -> Option<u16> {
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
    fn each_status_has_its_own_text() {
        for code in 100..1_000 {
            let code = StatusCode::from_u16(code).unwrap();
            assert_eq!(status(code), code.as_str());
        }
    }
}
