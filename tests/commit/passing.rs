//! Responses that are not judged.

use std::{convert::Infallible, future::ready};

use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use seawall::commit::{CommitLayer, Dialect};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{call, call_with, data, fed_body, outcome, response};

const ERROR: &str =
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}\n\n";

#[tokio::test(start_paused = true)]
async fn layer_passes_response_of_other_type_without_polling_it() {
    for content_type in ["text/plain", "text/event-streams", "text/event", "application/jsonl", "*"]
    {
        let (body, _feed) = fed_body([]);
        let mut call = call(&CommitLayer::new(Dialect::Anthropic), response(content_type, body));
        assert!(outcome(&mut call).is_ok(), "{content_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn layer_judges_content_type_in_any_spelling() {
    for content_type in
        ["text/event-stream", "Text/Event-Stream;charset=utf-8", "text/event-stream ; a"]
    {
        let (body, _feed) = fed_body([data(ERROR)]);
        let mut call = call(&CommitLayer::new(Dialect::Anthropic), response(content_type, body));
        assert!(outcome(&mut call).is_err(), "{content_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn layer_passes_response_with_other_status() {
    for status in [201, 202, 204, 206, 304, 400, 429, 500, 503] {
        let (body, _feed) = fed_body([data(ERROR)]);
        let mut response = response("text/event-stream", body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let mut call = call(&CommitLayer::new(Dialect::Anthropic), response);
        assert!(outcome(&mut call).is_ok(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn layer_passes_compressed_stream() {
    for (coding, is_judged) in [("gzip", false), ("br", false), ("identity", true)] {
        let (body, _feed) = fed_body([data(ERROR)]);
        let mut response = response("text/event-stream", body);
        response.headers_mut().insert("content-encoding", coding.parse().unwrap());
        let mut call = call(&CommitLayer::new(Dialect::Anthropic), response);
        assert_eq!(outcome(&mut call).is_err(), is_judged, "{coding}");
    }
}

#[tokio::test(start_paused = true)]
async fn layer_passes_response_to_head() {
    let (body, _feed) = fed_body([crate::support::Step::End]);
    let request = Request::builder().method(Method::HEAD).uri("http://llm/").body(()).unwrap();
    let layer = CommitLayer::new(Dialect::Anthropic);
    let mut call = call_with(&layer, request, response("text/event-stream", body));
    assert!(outcome(&mut call).is_ok());
}

/// Neither timer nor runtime are needed.
#[test]
fn layer_passes_ready_json_without_runtime() {
    let json = r#"{"id":"chatcmpl-1"}"#;
    let service = service_fn(|_: Request<()>| {
        let response = Response::builder().header("content-type", "application/json");
        ready(Ok::<_, Infallible>(response.body(Full::<bytes::Bytes>::from(json)).unwrap()))
    });
    let call = CommitLayer::new(Dialect::OpenAi).layer(service).oneshot(Request::new(()));
    let response = futures_util::FutureExt::now_or_never(call).unwrap().unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(json.len() as u64));
    assert!(!response.body().is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn layer_returns_error_of_service() {
    let service =
        service_fn(|_: Request<()>| ready(Err::<Response<Full<bytes::Bytes>>, _>("down")));
    let call = CommitLayer::new(Dialect::OpenAi).layer(service).oneshot(Request::new(()));
    assert_eq!(call.await.unwrap_err().to_string(), "down");
}

static_assertions::assert_impl_all!(CommitLayer<Dialect>: Clone, Send, Sync, std::fmt::Debug);
static_assertions::assert_impl_all!(
    seawall::commit::CommitBody<Full<bytes::Bytes>>: Send, Sync, Unpin, std::fmt::Debug
);
static_assertions::assert_impl_all!(
    seawall::commit::FailedBeforeCommit: Send, Sync, std::error::Error
);
// A judge that is chosen at run time.
static_assertions::assert_impl_all!(
    std::sync::Arc<dyn seawall::commit::Judge + Send + Sync>: seawall::commit::Judge, Clone
);
