//! Responses when a local rejection stops retrying, and disclosed error text.

use seawall::retry::{Backoff, RetryLayer};

use super::*;

async fn response_when_rejected_after(status: u16) -> Response<ResponseBody<Body>> {
    let mut last_response = Response::new(Body::default());
    *last_response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let script: Script<Body> = Script::new([
        Action::Respond(last_response),
        Action::Fail(Failure::new(Cause::CircuitOpen).into()),
    ]);
    let retry = RetryLayer::new().retry_statuses([status]).backoff(Backoff::none());
    let error = retry.layer(script).oneshot(request(Method::GET)).await.unwrap_err();
    respond("edge", error).await
}

#[tokio::test(start_paused = true)]
async fn rejection_returns_server_error_after_success_response() {
    for status in [202, 204, 304, 408] {
        let response = response_when_rejected_after(status).await;
        assert!(response.status().is_server_error(), "{status}: {}", response.status());
    }
    assert_eq!(response_when_rejected_after(429).await.status(), 429);
    assert_eq!(response_when_rejected_after(502).await.status(), 502);
}

#[tokio::test]
async fn layer_does_not_disclose_directional_characters() {
    let layer = ErrorResponseLayer::new("edge").include_error_text(true);
    let error: BoxError = "a\u{61c}b".into();
    let body = text(respond_with(layer, get(&[("accept", b"text/plain")]), error).await).await;
    assert!(!body.contains('\u{61c}'), "{body:?}");
}
