//! The static files of the page.

use axum::{
    Router,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};

/// Allows only files of this server, and forbids framing to prevent clickjacking.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types 'none'",
);

/// Returns the page to clients that prefer HTML, and `text` to all others.
pub(crate) fn index(headers: &HeaderMap, text: String) -> Response {
    let mut response = if prefers_html(headers) {
        file("text/html; charset=utf-8", include_str!("page.html"))
    } else {
        text.into_response()
    };
    response.headers_mut().insert(VARY, HeaderValue::from_name(ACCEPT));
    response
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/@/page.css", get(async || file("text/css", include_str!("page.css"))))
        .route("/@/page.js", get(async || file("text/javascript", include_str!("page.js"))))
        .route("/@/chart.js", get(async || file("text/javascript", include_str!("chart.js"))))
        .route("/@/messages.js", get(async || file("text/javascript", include_str!("messages.js"))))
        .route("/@/icon.svg", get(async || file("image/svg+xml", include_str!("icon.svg"))))
}

fn file(content_type: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_SECURITY_POLICY, CSP),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (headers, content).into_response()
}

/// Returns whether `Accept` contains `text/html` with at least the weight of `text/plain` (RFC
/// 9110, section 12.5.1).
fn prefers_html(headers: &HeaderMap) -> bool {
    let weight = |media_type: &str| {
        headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| {
                let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
                let q = parameters.split(';').find_map(|parameter| {
                    let (name, value) = parameter.split_once('=')?;
                    name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().ok())?
                });
                name.trim().eq_ignore_ascii_case(media_type).then_some(q.unwrap_or(1.0_f32))
            })
            .fold(0.0, f32::max)
    };
    let html = weight("text/html");
    html > 0.0 && html >= weight("text/plain")
}
