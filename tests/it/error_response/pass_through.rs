//! Upstream failures that pass, with a member of `Proxy-Status` appended on demand.

use bytes::Bytes;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;
use seawall::{
    ErrorResponseLayer, Ratio, RetryLayer,
    retry::{Backoff, Budget},
};
use tower::{Layer, ServiceExt};

use super::{request, text};
use crate::support::{Act, Script};

async fn pass(
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
    let script = Script::new([Act::Answer(response)]);
    let Ok(response) = layer.layer(script).oneshot(request(Method::GET)).await;
    response
}

fn lines<B>(response: &Response<B>) -> Vec<&str> {
    let values = response.headers().get_all("proxy-status");
    values.iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn our_member_is_appended_to_those_that_are_there() {
    let there = ["origin-cdn;error=dns_error, \"b, c\"", "d"];
    let response = pass(true, 502, &there).await;
    assert_eq!(lines(&response), [there[0], there[1], "edge;received-status=502"]);
    let all = lines(&response).join(", ");
    let list: sfv::List = sfv::Parser::new(&all).parse().unwrap();
    assert_eq!(list.len(), 4);
    assert_eq!(response.status(), 502);
    assert_eq!(text(response).await, "as it was");
}

/// RFC 9209 §2.1.1: an `error` would say that this server met with one.
#[tokio::test]
async fn our_member_blames_nobody() {
    for status in [429, 500, 502, 503, 504, 529, 599] {
        let response = pass(true, status, &[]).await;
        assert_eq!(lines(&response), [format!("edge;received-status={status}")]);
    }
}

#[tokio::test]
async fn what_is_no_failure_of_the_upstream_passes_untouched() {
    for status in [200, 204, 304, 400, 401, 404, 408, 409] {
        assert_eq!(pass(true, status, &[]).await.headers().len(), 0, "{status}");
        assert_eq!(lines(&pass(true, status, &["a"]).await), ["a"], "{status}");
    }
}

#[tokio::test]
async fn nothing_is_appended_unless_asked_for() {
    assert_eq!(lines(&pass(false, 502, &["a;error=dns_error"]).await), ["a;error=dns_error"]);
    assert_eq!(pass(false, 502, &[]).await.headers().len(), 0);
}

#[tokio::test]
async fn a_head_that_is_full_passes_without_our_member() {
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
    let script = Script::new([Act::Answer(response)]);
    let Ok(response) = layer.layer(script).oneshot(request(Method::GET)).await;
    assert_eq!((response.status().as_u16(), response.headers().len()), (502, count));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_was_tried_as_often_as_it_should_be_says_so_to_callers() {
    let after = async |retry: RetryLayer, method: Method, status: u16| {
        let failed = move || {
            let mut response = Response::new(Full::<Bytes>::from("as it was"));
            *response.status_mut() = status.try_into().unwrap();
            Act::Answer(response)
        };
        let script = Script::new(std::iter::repeat_with(failed).take(4));
        let retry = retry.backoff(Backoff::none());
        let Ok(response) = ErrorResponseLayer::new("edge")
            .layer(retry.layer(script))
            .oneshot(request(method))
            .await;
        assert_eq!(response.status(), status);
        response.headers().get("x-should-retry").map(|it| it.to_str().unwrap().to_owned())
    };
    let no = Some("false".to_owned());
    assert_eq!(after(RetryLayer::new(), Method::GET, 502).await, no);
    let spent = RetryLayer::new().budget(Budget::new(Ratio::percent(0), 0));
    assert_eq!(after(spent, Method::GET, 502).await, no);
    // Whoever knows the request better may repeat it.
    assert_eq!(after(RetryLayer::new(), Method::POST, 502).await, None);
    assert_eq!(after(RetryLayer::new(), Method::GET, 404).await, None);
    assert_eq!(after(RetryLayer::new(), Method::GET, 200).await, None);
}

#[tokio::test(start_paused = true)]
async fn so_does_an_error_for_which_no_retry_is_left() {
    let reset = || {
        Act::<Full<Bytes>>::Fail(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into())
    };
    for (budget, told) in
        [(Budget::new(Ratio::percent(0), 0), Some("false")), (Budget::none(), None)]
    {
        let total = u32::from(told.is_some());
        let retry = RetryLayer::new().budget(budget).max_retries(total);
        let Ok(response) = ErrorResponseLayer::new("edge")
            .layer(retry.layer(Script::new([reset()])))
            .oneshot(request(Method::GET))
            .await;
        assert_eq!(response.status(), 502);
        let no = response.headers().get("x-should-retry").map(|it| it.to_str().unwrap());
        assert_eq!(no, told);
        assert_eq!(lines(&response), ["edge;error=connection_terminated"]);
    }
}
