//! The response when a local rejection stops retrying, and the disclosed text of an error.

use seawall::retry::{Backoff, RetryLayer};

use super::*;

async fn refused_after(status: u16) -> Response<ResponseBody<Body>> {
    let mut last = Response::new(Body::default());
    *last.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let script: Script<Body> =
        Script::new([Act::Answer(last), Act::Fail(Failure::new(Cause::CircuitOpen).into())]);
    let retry = RetryLayer::new().retry_statuses([status]).backoff(Backoff::none());
    let error = retry.layer(script).oneshot(request(Method::GET)).await.unwrap_err();
    answer("edge", error).await
}

#[tokio::test(start_paused = true)]
async fn rejection_after_success_response_is_not_success() {
    for status in [202, 204, 304, 408] {
        let response = refused_after(status).await;
        assert!(response.status().is_server_error(), "{status}: {}", response.status());
    }
    assert_eq!(refused_after(429).await.status(), 429);
    assert_eq!(refused_after(502).await.status(), 502);
}

#[tokio::test]
async fn directional_characters_are_not_disclosed() {
    let layer = ErrorResponseLayer::new("edge").include_error_text(true);
    let error: BoxError = "a\u{61c}b".into();
    let said = text(ask(layer, get(&[("accept", b"text/plain")]), error).await).await;
    assert!(!said.contains('\u{61c}'), "{said:?}");
}
