//! Which format is answered, by `Accept`.

use http::Method;
use seawall::error_response::ErrorResponseLayer;

use super::{ask, get, header, request, text};

const PROBLEM: &str = "application/problem+json";
const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

async fn format(lines: &[&[u8]]) -> String {
    let headers: Vec<_> = lines.iter().map(|line| ("accept", *line)).collect();
    let response = ask(ErrorResponseLayer::new("edge"), get(&headers), "x").await;
    assert_eq!(header(&response, "vary"), Some("accept"));
    assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
    header(&response, "content-type").unwrap().to_owned()
}

async fn all_get(expected: &str, accepts: &[&str]) {
    for accept in accepts {
        assert_eq!(format(&[accept.as_bytes()]).await, expected, "{accept:?}");
    }
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
        image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
    all_get(HTML, &[firefox, chromium]).await;
}

#[tokio::test]
async fn a_program_gets_a_problem_document() {
    let axios = "application/json, text/plain, */*";
    let exact = "application/problem+json";
    all_get(PROBLEM, &["*/*", "application/*", "application/json", exact, axios]).await;
    let response = ask(ErrorResponseLayer::new("edge"), request(Method::GET), "x").await;
    assert_eq!(header(&response, "content-type"), Some(PROBLEM));
}

#[tokio::test]
async fn who_wants_plain_text_gets_it() {
    all_get(PLAIN, &["text/plain", "text/plain, text/html;q=0.9", "TEXT/Plain ; Q=0.1"]).await;
    let request = get(&[("accept", b"text/plain"), ("x-request-id", b"7f")]);
    let text = text(ask(ErrorResponseLayer::new("edge"), request, "x").await).await;
    assert!(text.starts_with("502 Bad Gateway\n\n"), "{text}");
    assert!(text.ends_with("\n\nedge; unknown; request 7f\n"), "{text}");
}

#[tokio::test]
async fn the_higher_quality_wins_and_a_problem_document_among_equals() {
    all_get(
        HTML,
        &["text/html, application/json;q=0.999", "application/json;q=0.1, text/html;q=0.101"],
    )
    .await;
    all_get(PROBLEM, &["text/html;q=0.5, application/json;q=0.5", "text/html, */*"]).await;
    // Our own order where a wildcard stands for two.
    all_get(HTML, &["text/*", "text/*;q=0.001"]).await;
}

#[tokio::test]
async fn the_most_specific_range_has_the_last_word_in_any_order() {
    all_get(PLAIN, &["text/*, text/html;q=0.1", "text/html;q=0.1, text/*"]).await;
    all_get(HTML, &["*/*, application/*;q=0.1, text/html", "*/*;q=0.9, application/*;q=0.1"]).await;
    all_get(HTML, &["application/json, application/problem+json;q=0.2, text/html;q=0.3"]).await;
    all_get(PROBLEM, &["application/json;q=0.2, application/problem+json, text/html;q=0.3"]).await;
}

#[tokio::test]
async fn a_quality_of_zero_is_a_refusal() {
    all_get(HTML, &["*/*, application/json;q=0", "application/*;q=0.000, */*;q=0.1"]).await;
    all_get(PLAIN, &["text/*, text/html;q=0"]).await;
}

#[tokio::test]
async fn who_takes_nothing_that_there_is_gets_a_problem_document() {
    all_get(PROBLEM, &["image/png", "*/*;q=0", "text/html;q=0", "application/xml, image/*"]).await;
}

#[tokio::test]
async fn several_lines_are_one_list() {
    assert_eq!(format(&[b"application/json;q=0.5", b"text/html"]).await, HTML);
    assert_eq!(format(&[b"text/html;q=0.5", b"image/png", b"application/json"]).await, PROBLEM);
}

#[tokio::test]
async fn a_range_with_parameters_is_for_what_has_them() {
    all_get(HTML, &["text/html;charset=UTF-8", "text/html; charset=\"utf-8\"; q=0.5"]).await;
    all_get(PROBLEM, &["text/html;level=1", "text/html;charset=latin1, */*;q=0.1"]).await;
}

#[tokio::test]
async fn a_malformed_range_is_passed_over() {
    all_get(HTML, &[",, ,text/html", "/;q=1, text/html", "text, text/html;q=0.3, *"]).await;
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
        assert_eq!(format(&[accept.as_bytes()]).await, PROBLEM, "{accept:?}");
    }
}

#[tokio::test]
async fn an_accept_that_is_too_long_or_not_ascii_is_none() {
    let long = format!("text/html,{}", "a/b,".repeat(254));
    assert_eq!(format(&[&long.as_bytes()[..1_024]]).await, HTML);
    assert_eq!(format(&[long.as_bytes()]).await, PROBLEM);
    assert_eq!(format(&[b"text/html", long.as_bytes()]).await, PROBLEM);
    assert_eq!(format(&[b"text/html, \xff/\xfe"]).await, PROBLEM);
    assert_eq!(format(&[&b"text/html;x=\"".repeat(6_000)]).await, PROBLEM);
}
