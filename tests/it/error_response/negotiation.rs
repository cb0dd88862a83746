//! Negotiation of the response format by `Accept`.

use http::Method;
use seawall::error_response::ErrorResponseLayer;

use super::{get, header, request, respond_with, text};

const PROBLEM: &str = "application/problem+json";
const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

async fn negotiated_type(lines: &[&[u8]]) -> String {
    let headers: Vec<_> = lines.iter().map(|line| ("accept", *line)).collect();
    let response = respond_with(ErrorResponseLayer::new("edge"), get(&headers), "x").await;
    assert_eq!(header(&response, "vary"), Some("accept"));
    assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
    header(&response, "content-type").unwrap().to_owned()
}

async fn assert_negotiated(expected: &str, accepts: &[&str]) {
    for accept in accepts {
        assert_eq!(negotiated_type(&[accept.as_bytes()]).await, expected, "{accept:?}");
    }
}

#[tokio::test]
async fn layer_returns_page_to_browsers() {
    let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
        image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
    assert_negotiated(HTML, &[firefox, chromium]).await;
}

#[tokio::test]
async fn layer_returns_problem_document_to_programs() {
    let axios = "application/json, text/plain, */*";
    let exact = "application/problem+json";
    assert_negotiated(PROBLEM, &["*/*", "application/*", "application/json", exact, axios]).await;
    let response = respond_with(ErrorResponseLayer::new("edge"), request(Method::GET), "x").await;
    assert_eq!(header(&response, "content-type"), Some(PROBLEM));
}

#[tokio::test]
async fn layer_returns_plain_text_when_preferred() {
    assert_negotiated(PLAIN, &["text/plain", "text/plain, text/html;q=0.9", "TEXT/Plain ; Q=0.1"])
        .await;
    let request = get(&[("accept", b"text/plain"), ("x-request-id", b"7f")]);
    let text = text(respond_with(ErrorResponseLayer::new("edge"), request, "x").await).await;
    assert!(text.starts_with("502 Bad Gateway\n\n"), "{text}");
    assert!(text.ends_with("\n\nedge; unknown; request 7f\n"), "{text}");
}

#[tokio::test]
async fn layer_prefers_higher_quality_then_problem_document() {
    assert_negotiated(
        HTML,
        &["text/html, application/json;q=0.999", "application/json;q=0.1, text/html;q=0.101"],
    )
    .await;
    assert_negotiated(PROBLEM, &["text/html;q=0.5, application/json;q=0.5", "text/html, */*"])
        .await;
    // The layer prefers HTML to plain text when a wildcard matches both.
    assert_negotiated(HTML, &["text/*", "text/*;q=0.001"]).await;
}

#[tokio::test]
async fn most_specific_range_takes_precedence_in_any_order() {
    assert_negotiated(PLAIN, &["text/*, text/html;q=0.1", "text/html;q=0.1, text/*"]).await;
    assert_negotiated(
        HTML,
        &["*/*, application/*;q=0.1, text/html", "*/*;q=0.9, application/*;q=0.1"],
    )
    .await;
    assert_negotiated(HTML, &["application/json, application/problem+json;q=0.2, text/html;q=0.3"])
        .await;
    assert_negotiated(
        PROBLEM,
        &["application/json;q=0.2, application/problem+json, text/html;q=0.3"],
    )
    .await;
}

#[tokio::test]
async fn quality_of_zero_excludes_format() {
    assert_negotiated(HTML, &["*/*, application/json;q=0", "application/*;q=0.000, */*;q=0.1"])
        .await;
    assert_negotiated(PLAIN, &["text/*, text/html;q=0"]).await;
}

#[tokio::test]
async fn layer_returns_problem_document_when_no_format_is_accepted() {
    assert_negotiated(
        PROBLEM,
        &["image/png", "*/*;q=0", "text/html;q=0", "application/xml, image/*"],
    )
    .await;
}

#[tokio::test]
async fn layer_joins_repeated_accept_headers() {
    assert_eq!(negotiated_type(&[b"application/json;q=0.5", b"text/html"]).await, HTML);
    assert_eq!(
        negotiated_type(&[b"text/html;q=0.5", b"image/png", b"application/json"]).await,
        PROBLEM
    );
}

#[tokio::test]
async fn range_with_parameters_matches_only_type_with_them() {
    assert_negotiated(HTML, &["text/html;charset=UTF-8", "text/html; charset=\"utf-8\"; q=0.5"])
        .await;
    assert_negotiated(PROBLEM, &["text/html;level=1", "text/html;charset=latin1, */*;q=0.1"]).await;
}

#[tokio::test]
async fn layer_ignores_malformed_range() {
    assert_negotiated(HTML, &[",, ,text/html", "/;q=1, text/html", "text, text/html;q=0.3, *"])
        .await;
    for accept in [
        "",
        ",",
        ";",
        "text",
        "text/",
        "/html",
        "text/html;q",
        "text/html;q=",
        "text/html;q=2",
        "text/html;q=1.001",
        "text/html;q=0.1234",
        "text/html;q=-1",
        "text/html;q=1e0",
        "text/html;q=+1",
        "text/html;q=.5",
        "text/html;x=\"",
        "text html",
        "*/html",
    ] {
        assert_eq!(negotiated_type(&[accept.as_bytes()]).await, PROBLEM, "{accept:?}");
    }
}

#[tokio::test]
async fn layer_ignores_overlong_or_non_ascii_accept() {
    let long = format!("text/html,{}", "a/b,".repeat(254));
    assert_eq!(negotiated_type(&[&long.as_bytes()[..1_024]]).await, HTML);
    assert_eq!(negotiated_type(&[long.as_bytes()]).await, PROBLEM);
    assert_eq!(negotiated_type(&[b"text/html", long.as_bytes()]).await, PROBLEM);
    assert_eq!(negotiated_type(&[b"text/html, \xff/\xfe"]).await, PROBLEM);
    assert_eq!(negotiated_type(&[&b"text/html;x=\"".repeat(6_000)]).await, PROBLEM);
}
