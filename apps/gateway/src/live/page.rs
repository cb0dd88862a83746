//! The page and its parts, as files.

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

/// Nothing but this server's own files; nobody may put the page, and its buttons, into a frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types 'none'",
);

/// The page for those who ask for HTML, a line for the others.
pub(crate) fn index(headers: &HeaderMap, line: String) -> Response {
    let mut response = if prefers_html(headers) {
        file("text/html; charset=utf-8", include_str!("page.html"))
    } else {
        line.into_response()
    };
    response.headers_mut().insert(VARY, HeaderValue::from_name(ACCEPT));
    response
}

pub(super) fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/@/page.css", get(async || file("text/css", include_str!("page.css"))))
        .route("/@/page.js", get(async || file("text/javascript", include_str!("page.js"))))
        .route("/@/chart.js", get(async || file("text/javascript", include_str!("chart.js"))))
        .route("/@/words.js", get(async || file("text/javascript", include_str!("words.js"))))
        .route("/@/icon.svg", get(async || file("image/svg+xml", include_str!("icon.svg"))))
}

fn file(of_type: &'static str, text: &'static str) -> Response {
    let fields: [(HeaderName, HeaderValue); 5] = [
        (CONTENT_TYPE, HeaderValue::from_static(of_type)),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (fields, text).into_response()
}

/// Whether HTML is asked for by name, and no less than plain text: RFC 9110 §12.5.1.
fn prefers_html(headers: &HeaderMap) -> bool {
    let weight = |wanted: &str| {
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
                name.trim().eq_ignore_ascii_case(wanted).then_some(q.unwrap_or(1.0_f32))
            })
            .fold(0.0, f32::max)
    };
    let html = weight("text/html");
    html > 0.0 && html >= weight("text/plain")
}
