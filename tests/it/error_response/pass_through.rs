//! Passed error responses of the upstream, with an optional member of `Proxy-Status`.

use bytes::Bytes;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;
use seawall::{
    Ratio,
    error_response::ErrorResponseLayer,
    retry::{Backoff, Budget, RetryLayer},
};
use tower::{Layer, ServiceExt};

use super::{request, text};
use crate::support::{Action, Script};

async fn pass_response(
    append: bool,
    status: u16,
    members: &[&'static str],
) -> Response<impl http_body::Body<Error: std::fmt::Debug, Data = Bytes>> {
    let mut response = Response::new(Full::<Bytes>::from("as it was"));
    *response.status_mut() = status.try_into().unwrap();
    for member in members {
        response.headers_mut().append("proxy-status", HeaderValue::from_static(member));
    }
    let layer = ErrorResponseLayer::new("edge").append_proxy_status(append);
    let script = Script::new([Action::Respond(response)]);
    let Ok(response) = layer.layer(script).oneshot(request(Method::GET)).await;
    response
}

fn proxy_status_lines<B>(response: &Response<B>) -> Vec<&str> {
    let values = response.headers().get_all("proxy-status");
    values.iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn layer_appends_own_member_to_existing_members() {
    let existing = ["origin-cdn;error=dns_error, \"b, c\"", "d"];
    let response = pass_response(true, 502, &existing).await;
    assert_eq!(
        proxy_status_lines(&response),
        [existing[0], existing[1], "edge;received-status=502"]
    );
    let all = proxy_status_lines(&response).join(", ");
    let list: sfv::List = sfv::Parser::new(&all).parse().unwrap();
    assert_eq!(list.len(), 4);
    assert_eq!(response.status(), 502);
    assert_eq!(text(response).await, "as it was");
}

/// RFC 9209 §2.1.1: an `error` would mean that this server encountered one.
#[tokio::test]
async fn own_member_has_no_error_parameter() {
    for status in [429, 500, 502, 503, 504, 529, 599] {
        let response = pass_response(true, status, &[]).await;
        assert_eq!(proxy_status_lines(&response), [format!("edge;received-status={status}")]);
    }
}

#[tokio::test]
async fn layer_passes_response_without_upstream_failure_unchanged() {
    for status in [200, 204, 304, 400, 401, 404, 408, 409] {
        assert_eq!(pass_response(true, status, &[]).await.headers().len(), 0, "{status}");
        assert_eq!(
            proxy_status_lines(&pass_response(true, status, &["a"]).await),
            ["a"],
            "{status}"
        );
    }
}

#[tokio::test]
async fn layer_appends_no_member_by_default() {
    assert_eq!(
        proxy_status_lines(&pass_response(false, 502, &["a;error=dns_error"]).await),
        ["a;error=dns_error"]
    );
    assert_eq!(pass_response(false, 502, &[]).await.headers().len(), 0);
}

#[tokio::test]
async fn layer_appends_no_member_when_header_map_is_full() {
    let mut response = Response::builder().status(502).body(Full::<Bytes>::default()).unwrap();
    let names: Vec<_> = (0..40_000).map(|i| format!("x-{i}")).collect();
    for name in &names {
        let name: http::HeaderName = name.parse().unwrap();
        if response.headers_mut().try_insert(name, HeaderValue::from_static("y")).is_err() {
            break;
        }
    }
    let count = response.headers().len();
    let layer = ErrorResponseLayer::new("edge").append_proxy_status(true);
    let script = Script::new([Action::Respond(response)]);
    let Ok(response) = layer.layer(script).oneshot(request(Method::GET)).await;
    assert_eq!((response.status().as_u16(), response.headers().len()), (502, count));
}

#[tokio::test(start_paused = true)]
async fn exhausted_response_advises_callers_not_to_retry() {
    let retry_advice = async |retry: RetryLayer, method: Method, status: u16| {
        let respond = move || {
            let mut response = Response::new(Full::<Bytes>::from("as it was"));
            *response.status_mut() = status.try_into().unwrap();
            Action::Respond(response)
        };
        let script = Script::new(std::iter::repeat_with(respond).take(4));
        let retry = retry.backoff(Backoff::none());
        let Ok(response) = ErrorResponseLayer::new("edge")
            .layer(retry.layer(script))
            .oneshot(request(method))
            .await;
        assert_eq!(response.status(), status);
        response.headers().get("x-should-retry").map(|it| it.to_str().unwrap().to_owned())
    };
    let not_to_retry = Some("false".to_owned());
    assert_eq!(retry_advice(RetryLayer::new(), Method::GET, 502).await, not_to_retry);
    let without_budget = RetryLayer::new().budget(Budget::new(Ratio::percent(0), 0));
    assert_eq!(retry_advice(without_budget, Method::GET, 502).await, not_to_retry);
    // The caller may know that a retry is safe.
    assert_eq!(retry_advice(RetryLayer::new(), Method::POST, 502).await, None);
    assert_eq!(retry_advice(RetryLayer::new(), Method::GET, 404).await, None);
    assert_eq!(retry_advice(RetryLayer::new(), Method::GET, 200).await, None);
}

#[tokio::test(start_paused = true)]
async fn exhausted_error_advises_callers_not_to_retry() {
    let reset = || {
        Action::<Full<Bytes>>::Fail(
            std::io::Error::from(std::io::ErrorKind::ConnectionReset).into(),
        )
    };
    for (budget, advice) in
        [(Budget::new(Ratio::percent(0), 0), Some("false")), (Budget::none(), None)]
    {
        let max_retries = u32::from(advice.is_some());
        let retry = RetryLayer::new().budget(budget).max_retries(max_retries);
        let Ok(response) = ErrorResponseLayer::new("edge")
            .layer(retry.layer(Script::new([reset()])))
            .oneshot(request(Method::GET))
            .await;
        assert_eq!(response.status(), 502);
        let sent_advice = response.headers().get("x-should-retry").map(|it| it.to_str().unwrap());
        assert_eq!(sent_advice, advice);
        assert_eq!(proxy_status_lines(&response), ["edge;error=connection_terminated"]);
    }
}
