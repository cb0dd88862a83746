//! tower-http's layers around the stack and inside of it: which order works, and what goes wrong in the other.

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

use super::{app, eager, serve, stack, status};
use crate::support::sockets::{hyper, origin, url};

const ID: HeaderName = HeaderName::from_static("x-request-id");

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// Fails so often, then answers `ok`, and keeps the headers of what it was sent.
async fn upstream(failures: u32) -> (String, Seen) {
    let seen = Seen::default();
    let keeps = Arc::clone(&seen);
    let (app, _) = app(move |number, request| {
        keeps.lock().unwrap().push(request.headers().clone());
        if number <= failures { status(502) } else { "ok".into_response() }
    });
    (format!("http://{}/", serve(app).await), seen)
}

fn get(url: &str) -> Request<String> {
    Request::get(url).body(String::new()).unwrap()
}

fn ids(seen: &Seen) -> Vec<HeaderValue> {
    seen.lock().unwrap().iter().map(|headers| headers[ID].clone()).collect()
}

#[tokio::test]
async fn a_request_id_set_around_the_stack_is_one_for_all_attempts() {
    let (url, seen) = upstream(2).await;
    let client = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(stack())
        .service(hyper());
    let response = client.oneshot(get(&url)).await.unwrap();
    let ids = ids(&seen);
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id == response.headers()[ID]));
}

#[tokio::test]
async fn a_request_id_set_inside_is_another_for_each_attempt() {
    let (url, seen) = upstream(2).await;
    let client = ServiceBuilder::new()
        .layer(stack())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .service(hyper());
    let response = client.oneshot(get(&url)).await.unwrap();
    let ids = ids(&seen);
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[2], response.headers()[ID]);
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[tokio::test]
async fn headers_are_set_once_on_each_attempt_wherever_the_layer_stands() {
    let set = || SetRequestHeaderLayer::appending(USER_AGENT, HeaderValue::from_static("shop/1"));
    let (url, seen) = upstream(2).await;
    let client = ServiceBuilder::new()
        .layer(set())
        .layer(SetResponseHeaderLayer::overriding(ID, HeaderValue::from_static("outer")))
        .layer(stack())
        .layer(set())
        .layer(SetResponseHeaderLayer::overriding(ID, HeaderValue::from_static("inner")))
        .service(hyper());
    let response = client.oneshot(get(&url)).await.unwrap();
    assert_eq!(response.headers()[ID], "outer");
    let seen = seen.lock().unwrap();
    let counts: Vec<_> =
        seen.iter().map(|headers| headers.get_all(USER_AGENT).iter().count()).collect();
    assert_eq!(counts, [2, 2, 2]);
}

#[tokio::test]
async fn a_trace_around_the_stack_is_of_the_call_and_one_inside_of_each_attempt() {
    let (calls, attempts) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (counts_calls, counts_attempts) = (Arc::clone(&calls), Arc::clone(&attempts));
    let (url, _) = upstream(2).await;
    let outer = TraceLayer::new_for_http().on_request(move |_: &Request<String>, _: &Span| {
        counts_calls.fetch_add(1, Ordering::Relaxed);
    });
    let inner =
        TraceLayer::new_for_http().on_request(move |_: &Request<ReplayBody<String>>, _: &Span| {
            counts_attempts.fetch_add(1, Ordering::Relaxed);
        });
    let client = ServiceBuilder::new().layer(outer).layer(stack()).layer(inner).service(hyper());
    let response = client.oneshot(get(&url)).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!((calls.load(Ordering::Relaxed), attempts.load(Ordering::Relaxed)), (1, 3));
}

/// A gateway of nginx's whose upstream is down, and which compresses its pages.
async fn compressed_page() -> String {
    const PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>\
        <h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    let (app, _) = app(|_, _| (http::StatusCode::BAD_GATEWAY, Html(PAGE)));
    format!("http://{}/", serve(app.layer(CompressionLayer::new())).await)
}

fn reporter<B>(response: &http::Response<B>) -> Reporter {
    response.extensions().get::<Failure>().unwrap().reporter()
}

#[tokio::test]
async fn decompressed_inside_the_stack_a_gateway_s_page_can_be_read() {
    let client =
        ServiceBuilder::new().layer(stack()).layer(DecompressionLayer::new()).service(hyper());
    let response = client.oneshot(get(&compressed_page().await)).await.unwrap();
    assert_eq!(reporter(&response), Reporter::Gateway(Product::Nginx));
    assert!(response.extensions().get::<Evidence>().is_some());
    assert!(!response.headers().contains_key("content-encoding"));
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(page.ends_with(b"</html>\r\n"));
}

#[tokio::test]
async fn decompressed_around_the_stack_a_gateway_s_page_is_read_by_the_caller_only() {
    let client =
        ServiceBuilder::new().layer(DecompressionLayer::new()).layer(stack()).service(hyper());
    let response = client.oneshot(get(&compressed_page().await)).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(reporter(&response), Reporter::Unknown);
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(page.ends_with(b"</html>\r\n"));
}

/// Redirects a POST by 303 to a server that is down, and counts how often it was asked.
async fn redirects() -> (String, Arc<AtomicU32>) {
    // It keeps its port, so that nobody else listens there.
    let down: &Origin = Box::leak(Box::new(origin(Script::Refuse).await));
    let (app, count) = app(|_, _| Redirect::to(&url(down)));
    (format!("http://{}/", serve(app).await), count)
}

fn pay(url: &str) -> Request<Body> {
    Request::post(url).body(Body::from("5 Euro")).unwrap()
}

#[tokio::test]
async fn redirects_followed_around_the_stack_are_calls_of_their_own() {
    let (url, count) = redirects().await;
    let client =
        ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(stack()).service(hyper());
    let error = client.oneshot(pay(&url)).await.unwrap_err();
    // The GET that the redirect asked for was tried four times, the POST once.
    let gave_up = seawall::find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!(gave_up.attempts().get(), 4);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

/// Why `ReplayBody` has no `Default`, which the layer asks for: what is refused after the redirect looks as if nothing had been
/// sent.
#[tokio::test]
async fn redirects_followed_inside_the_stack_have_a_post_repeated() {
    let (url, count) = redirects().await;
    let client = ServiceBuilder::new()
        .layer(stack().map_body(Body::new))
        .layer(FollowRedirectLayer::new())
        .service(hyper());
    client.oneshot(pay(&url)).await.unwrap_err();
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_redirect_that_fails_at_first_is_retried_at_its_hop() {
    let (app, count) = app(|number, _| match number {
        1 => Redirect::permanent("/new").into_response(),
        2 => status(502),
        _ => "ok".into_response(),
    });
    let client =
        ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(stack()).service(hyper());
    let response = client.oneshot(get(&format!("http://{}/old", serve(app).await))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(count.load(Ordering::Relaxed), 3);
}

fn send_to<B>(to: &http::Uri, mut request: Request<B>) -> Request<B> {
    request.uri_mut().clone_from(to);
    request.headers_mut().remove("host");
    request
}

/// A gateway with all of tower-http's layers around.
async fn gateway(script: Script) -> String {
    let origin = Box::leak(Box::new(origin(script).await));
    let to: http::Uri = url(origin).parse().unwrap();
    let upstream = ServiceBuilder::new()
        .layer(StandardLayer::gateway("edge").retry(eager()))
        .map_request(move |request| send_to(&to, request))
        .service(hyper());
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
async fn around_a_gateway_they_go_onto_a_router_and_compress_its_own_answers() {
    let request = |url: &str| {
        let mut request = get(url);
        request.headers_mut().insert("accept-encoding", HeaderValue::from_static("gzip"));
        request
    };
    let answer = hyper().oneshot(request(&gateway(Script::Refuse).await)).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["proxy-status"], "edge;error=connection_refused");
    assert_eq!(answer.headers()[ID], "set");

    // What is as short as this is not worth it.
    let passed =
        hyper().oneshot(request(&gateway(Script::Flaky { every: 2 }).await)).await.unwrap();
    assert_eq!(passed.status(), 200);
    assert!(!passed.headers().contains_key("content-encoding"));
    assert_eq!(passed.into_body().collect().await.unwrap().to_bytes(), "ok");
}

/// The client that reads such an answer asks for it compressed, and knows what it says nevertheless.
#[tokio::test]
async fn a_stack_behind_a_gateway_that_compresses_is_told_that_it_need_not_try_again() {
    let url = gateway(Script::Status(502)).await;
    let client =
        ServiceBuilder::new().layer(stack()).layer(DecompressionLayer::new()).service(hyper());
    let response = client.oneshot(get(&url)).await.unwrap();
    assert_eq!(response.headers()["x-should-retry"], "false");
    let attempts = response.extensions().get::<seawall::retry::RetryReport>().unwrap();
    assert_eq!(attempts.count().get(), 1);
}

#[tokio::test]
async fn an_error_answered_inside_a_trace_is_a_response_to_it() {
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&statuses);
    let trace = TraceLayer::new_for_http().on_response(
        move |response: &http::Response<_>, _: std::time::Duration, _: &Span| {
            let _: &http::Response<seawall::error_response::ResponseBody<_>> = response;
            keeps.lock().unwrap().push(response.status().as_u16());
        },
    );
    let client = ServiceBuilder::new()
        .layer(trace)
        .layer(ErrorResponseLayer::new("edge"))
        .layer(stack())
        .service(hyper());
    let down = url(&origin(Script::Refuse).await);
    assert_eq!(client.oneshot(get(&down)).await.unwrap().status(), 502);
    assert_eq!(*statuses.lock().unwrap(), [502]);
}
