//! The HTML page.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use seawall::{BoxError, Cause, Failure, Processed, error_response::ErrorResponseLayer};
use sha2::{Digest, Sha256};

use super::{get, header, respond_with, text};

pub(super) async fn page(error: impl Into<BoxError>) -> String {
    let request = get(&[("accept", b"text/html"), ("x-request-id", b"0f9c2b7e-51aa-4e07-9c3d")]);
    text(respond_with(ErrorResponseLayer::new("edge.example"), request, error).await).await
}

#[tokio::test]
async fn page_has_description_advice_and_request_id() {
    for &cause in Cause::ALL {
        let page = page(Failure::new(cause)).await;
        let status = format!("<title>{} ", cause.gateway_status().as_u16());
        let escaped = |text: &str| text.replace('\'', "&#39;");
        for part in [
            status.as_str(),
            &escaped(cause.description()),
            &escaped(cause.advice()),
            cause.as_str(),
            "edge.example",
            "0f9c2b7e-51aa-4e07-9c3d",
            "lang=\"en\"",
            "width=device-width",
            "prefers-color-scheme:dark",
        ] {
            assert!(page.contains(part), "expected {part:?} in\n{page}");
        }
        assert_eq!(page.matches("<li>").count(), cause.checks().len());
        assert!(!page.contains("{{") && !page.contains('`'), "{page}");
    }
}

#[tokio::test]
async fn page_is_small_and_loads_no_resources() {
    for &cause in Cause::ALL {
        let page = page(Failure::new(cause)).await;
        assert!(page.len() < 2_560, "{cause}: {} bytes", page.len());
        for reference in ["src=", "href=", "url(", "<script", "<link", "@import"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }
}

#[tokio::test]
async fn content_security_policy_allows_only_style_of_page() {
    let request = get(&[("accept", b"text/html")]);
    let response = respond_with(ErrorResponseLayer::new("edge"), request, "x").await;
    let policy = header(&response, "content-security-policy").unwrap().to_owned();
    let page = text(response).await;
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(policy.ends_with(&format!("style-src 'sha256-{hash}'")), "{policy}, {hash}");
}

#[tokio::test]
async fn page_states_when_to_retry() {
    for (wait, sentence) in [
        (0, "try again now."),
        (1, "try again in 1 second."),
        (119, "try again in 119 seconds."),
        (121, "try again in 3 minutes."),
        (7_200, "try again in 2 hours."),
        (u64::MAX, "days."),
    ] {
        let failure = Failure::new(Cause::Overloaded);
        let failure = failure.with_retry_after(Some(Duration::from_secs(wait)));
        let page = page(failure).await;
        assert!(page.contains(sentence), "expected {sentence:?} in\n{page}");
    }
    assert!(page("x").await.contains("try again in a moment."));
    assert!(page(Failure::new(Cause::HttpRequestDenied)).await.contains("will not help."));
}

#[tokio::test]
async fn page_calls_retry_harmless_only_when_proven() {
    let harmless = "Your request was not processed";
    for (processed, is_proven) in [
        (Processed::No, true),
        (Processed::Unlikely, false),
        (Processed::Maybe, false),
        (Processed::Yes, false),
    ] {
        let page = page(Failure::new(Cause::BadGateway).with_processed(processed)).await;
        assert_eq!(page.contains(harmless), is_proven, "{processed:?}");
        assert_eq!(
            page.contains("first check whether it was received"),
            !is_proven,
            "{processed:?}"
        );
    }
}

#[tokio::test]
async fn page_has_error_text_only_when_disclosed() {
    let request = || get(&[("accept", b"text/html")]);
    let layer = ErrorResponseLayer::new("edge");
    let hidden = text(respond_with(layer.clone(), request(), "at 10.0.0.1").await).await;
    let shown =
        text(respond_with(layer.include_error_text(true), request(), "at 10.0.0.1").await).await;
    assert!(!hidden.contains("10.0.0.1"));
    assert!(shown.contains("<pre>at 10.0.0.1</pre>"), "{shown}");
}
