//! What OpenTelemetry's HTTP conventions say of a request, whether it is logged or measured.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/>

#[cfg(feature = "metrics")]
use http::StatusCode;
use http::{Method, Uri};

/// What stands for a method that has no name here.
pub(crate) const OTHER: &str = "_OTHER";

/// A method by a name of which there are few: RFC 9110 §9, RFC 5789, and QUERY.
pub(crate) fn method(method: &Method) -> Option<&'static str> {
    const NAMES: [&str; 10] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    NAMES.into_iter().find(|name| method.as_str() == *name)
}

/// The digits of each status there can be.
#[cfg(feature = "metrics")]
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

/// A status as text, which lives for ever, as those of [`StatusCode::as_str`] do without saying so.
#[cfg(feature = "metrics")]
pub(crate) fn status(status: StatusCode) -> &'static str {
    let digits = STATUSES.get(usize::from(status.as_u16()) - 100);
    digits.and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// The port of a scheme, where the URL names none.
pub(crate) fn port_of_scheme(uri: &Uri) -> Option<u16> {
    match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    }
}

#[cfg(all(test, feature = "metrics"))]
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
