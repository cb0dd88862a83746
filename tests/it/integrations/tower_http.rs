//! tower-http's layers inside and around the stack, and the effects of their order.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use ::axum::{
    Router,
    body::Body,
    response::{Html, IntoResponse, Redirect},
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header::USER_AGENT};
use http_body_util::BodyExt;
use scripted_origin::{Origin, Script};
use seawall::{
    Failure, Product, Reporter,
    bad_gateway::Evidence,
    error_response::ErrorResponseLayer,
    retry::{ReplayBody, RetriesExhausted},
    standard::StandardLayer,
};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::{
    compression::CompressionLayer,
    decompression::DecompressionLayer,
    follow_redirect::FollowRedirectLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::{SetRequestHeaderLayer, SetResponseHeaderLayer},
    trace::TraceLayer,
};
use tracing::Span;

use super::{counting_app, empty_response, serve, stack, without_backoff};
use crate::support::sockets::{hyper_client, origin, url};

const ID: HeaderName = HeaderName::from_static("x-request-id");

type ReceivedHeaders = Arc<Mutex<Vec<HeaderMap>>>;

/// Starts an upstream that fails `failures` times, and returns its URL and the received headers.
async fn upstream(failures: u32) -> (String, ReceivedHeaders) {
    let received = ReceivedHeaders::default();
    let recorder = Arc::clone(&received);
    let (app, _) = counting_app(move |number, request| {
        recorder.lock().unwrap().push(request.headers().clone());
        if number <= failures { empty_response(502) } else { "ok".into_response() }
    });
    (format!("http://{}/", serve(app).await), received)
}

fn get(url: &str) -> Request<String> {
    Request::get(url).body(String::new()).unwrap()
}

fn received_ids(received: &ReceivedHeaders) -> Vec<HeaderValue> {
    received.lock().unwrap().iter().map(|headers| headers[ID].clone()).collect()
}

#[tokio::test]
async fn outer_request_id_layer_sets_same_id_on_all_attempts() {
    let (url, received) = upstream(2).await;
    let client = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(stack())
        .service(hyper_client());
    let response = client.oneshot(get(&url)).await.unwrap();
    let ids = received_ids(&received);
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id == response.headers()[ID]));
}

#[tokio::test]
async fn inner_request_id_layer_sets_new_id_on_each_attempt() {
    let (url, received) = upstream(2).await;
    let client = ServiceBuilder::new()
        .layer(stack())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .service(hyper_client());
    let response = client.oneshot(get(&url)).await.unwrap();
    let ids = received_ids(&received);
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[2], response.headers()[ID]);
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[tokio::test]
async fn set_header_layer_sets_header_once_on_each_attempt() {
    let set_user_agent =
        || SetRequestHeaderLayer::appending(USER_AGENT, HeaderValue::from_static("shop/1"));
    let (url, received) = upstream(2).await;
    let client = ServiceBuilder::new()
        .layer(set_user_agent())
        .layer(SetResponseHeaderLayer::overriding(ID, HeaderValue::from_static("outer")))
        .layer(stack())
        .layer(set_user_agent())
        .layer(SetResponseHeaderLayer::overriding(ID, HeaderValue::from_static("inner")))
        .service(hyper_client());
    let response = client.oneshot(get(&url)).await.unwrap();
    assert_eq!(response.headers()[ID], "outer");
    let received = received.lock().unwrap();
    let counts: Vec<_> =
        received.iter().map(|headers| headers.get_all(USER_AGENT).iter().count()).collect();
    assert_eq!(counts, [2, 2, 2]);
}

#[tokio::test]
async fn outer_trace_covers_call_and_inner_trace_each_attempt() {
    let (calls, attempts) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (call_counter, attempt_counter) = (Arc::clone(&calls), Arc::clone(&attempts));
    let (url, _) = upstream(2).await;
    let outer = TraceLayer::new_for_http().on_request(move |_: &Request<String>, _: &Span| {
        call_counter.fetch_add(1, Ordering::Relaxed);
    });
    let inner =
        TraceLayer::new_for_http().on_request(move |_: &Request<ReplayBody<String>>, _: &Span| {
            attempt_counter.fetch_add(1, Ordering::Relaxed);
        });
    let client =
        ServiceBuilder::new().layer(outer).layer(stack()).layer(inner).service(hyper_client());
    let response = client.oneshot(get(&url)).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!((calls.load(Ordering::Relaxed), attempts.load(Ordering::Relaxed)), (1, 3));
}

/// Starts an nginx gateway that compresses its error pages.
async fn compressed_page() -> String {
    const PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>\
        <h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    let (app, _) = counting_app(|_, _| (http::StatusCode::BAD_GATEWAY, Html(PAGE)));
    format!("http://{}/", serve(app.layer(CompressionLayer::new())).await)
}

fn reporter<B>(response: &http::Response<B>) -> Reporter {
    response.extensions().get::<Failure>().unwrap().reporter()
}

#[tokio::test]
async fn stack_recognizes_page_when_decompression_is_inside() {
    let client = ServiceBuilder::new()
        .layer(stack())
        .layer(DecompressionLayer::new())
        .service(hyper_client());
    let response = client.oneshot(get(&compressed_page().await)).await.unwrap();
    assert_eq!(reporter(&response), Reporter::Gateway(Product::Nginx));
    assert!(response.extensions().get::<Evidence>().is_some());
    assert!(!response.headers().contains_key("content-encoding"));
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(page.ends_with(b"</html>\r\n"));
}

#[tokio::test]
async fn stack_does_not_recognize_page_when_decompression_is_outside() {
    let client = ServiceBuilder::new()
        .layer(DecompressionLayer::new())
        .layer(stack())
        .service(hyper_client());
    let response = client.oneshot(get(&compressed_page().await)).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(reporter(&response), Reporter::Unknown);
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(page.ends_with(b"</html>\r\n"));
}

/// Starts a server that redirects with 303 to a dead server, and returns its number of requests.
async fn redirect_to_dead_server() -> (String, Arc<AtomicU32>) {
    // The leaked origin keeps its port, so that no other server can use it.
    let down: &Origin = Box::leak(Box::new(origin(Script::Refuse).await));
    let (app, count) = counting_app(|_, _| Redirect::to(&url(down)));
    (format!("http://{}/", serve(app).await), count)
}

fn post(url: &str) -> Request<Body> {
    Request::post(url).body(Body::from("5 Euro")).unwrap()
}

#[tokio::test]
async fn outer_redirect_layer_starts_new_call_per_redirect() {
    let (url, count) = redirect_to_dead_server().await;
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(stack())
        .service(hyper_client());
    let error = client.oneshot(post(&url)).await.unwrap_err();
    // The stack sends the redirected GET four times and the POST once.
    let exhausted = seawall::find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!(exhausted.attempts().get(), 4);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

/// A connection refused after the redirect looks as if no request had been sent. This is why
/// `ReplayBody` does not implement `Default`, which the redirect layer requires.
#[tokio::test]
async fn inner_redirect_layer_causes_repeated_post() {
    let (url, count) = redirect_to_dead_server().await;
    let client = ServiceBuilder::new()
        .layer(stack().map_body(Body::new))
        .layer(FollowRedirectLayer::new())
        .service(hyper_client());
    client.oneshot(post(&url)).await.unwrap_err();
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn stack_retries_only_failed_redirect_hop() {
    let (app, count) = counting_app(|number, _| match number {
        1 => Redirect::permanent("/new").into_response(),
        2 => empty_response(502),
        _ => "ok".into_response(),
    });
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(stack())
        .service(hyper_client());
    let response = client.oneshot(get(&format!("http://{}/old", serve(app).await))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(count.load(Ordering::Relaxed), 3);
}

fn forward_to<B>(upstream: &http::Uri, mut request: Request<B>) -> Request<B> {
    request.uri_mut().clone_from(upstream);
    request.headers_mut().remove("host");
    request
}

/// Starts a gateway inside tower-http's layers.
async fn gateway(script: Script) -> String {
    let origin = Box::leak(Box::new(origin(script).await));
    let upstream_uri: http::Uri = url(origin).parse().unwrap();
    let upstream = ServiceBuilder::new()
        .layer(StandardLayer::gateway("edge").retry(without_backoff()))
        .map_request(move |request| forward_to(&upstream_uri, request))
        .service(hyper_client());
    let app = Router::new().fallback_service(upstream).layer(
        ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(SetResponseHeaderLayer::overriding(ID, HeaderValue::from_static("set")))
            .layer(CompressionLayer::new()),
    );
    format!("http://{}/", serve(app).await)
}

#[tokio::test]
async fn compression_layer_compresses_error_response_of_gateway() {
    let request = |url: &str| {
        let mut request = get(url);
        request.headers_mut().insert("accept-encoding", HeaderValue::from_static("gzip"));
        request
    };
    let response = hyper_client().oneshot(request(&gateway(Script::Refuse).await)).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["proxy-status"], "edge;error=connection_refused");
    assert_eq!(response.headers()[ID], "set");

    // The layer does not compress a short body.
    let success =
        hyper_client().oneshot(request(&gateway(Script::Flaky { every: 2 }).await)).await.unwrap();
    assert_eq!(success.status(), 200);
    assert!(!success.headers().contains_key("content-encoding"));
    assert_eq!(success.into_body().collect().await.unwrap().to_bytes(), "ok");
}

/// The client requests compression and still reads the retry advice.
#[tokio::test]
async fn stack_follows_retry_advice_of_compressed_response() {
    let url = gateway(Script::Status(502)).await;
    let client = ServiceBuilder::new()
        .layer(stack())
        .layer(DecompressionLayer::new())
        .service(hyper_client());
    let response = client.oneshot(get(&url)).await.unwrap();
    assert_eq!(response.headers()["x-should-retry"], "false");
    let report = response.extensions().get::<seawall::retry::RetryReport>().unwrap();
    assert_eq!(report.attempts().get(), 1);
}

#[tokio::test]
async fn outer_trace_receives_error_response() {
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::clone(&statuses);
    let trace = TraceLayer::new_for_http().on_response(
        move |response: &http::Response<_>, _: std::time::Duration, _: &Span| {
            let _: &http::Response<seawall::error_response::ResponseBody<_>> = response;
            recorder.lock().unwrap().push(response.status().as_u16());
        },
    );
    let client = ServiceBuilder::new()
        .layer(trace)
        .layer(ErrorResponseLayer::new("edge"))
        .layer(stack())
        .service(hyper_client());
    let down = url(&origin(Script::Refuse).await);
    assert_eq!(client.oneshot(get(&down)).await.unwrap().status(), 502);
    assert_eq!(*statuses.lock().unwrap(), [502]);
}
