//! Responses of a complete axum gateway in front of an origin that fails on purpose.
//!
//! The tests use real sockets and therefore real time.

mod malformed_upstream;

use std::time::Duration;

use axum::{Router, serve};
use bytes::Bytes;
use http::{Response, Uri, header::HOST};
use hyper::body::Incoming;
use scripted_origin::{Origin, Script};
use seawall::{
    error_response::ErrorResponseLayer,
    logging::LoggingLayer,
    retry::{Backoff, Budget, ReplayBody, RetryLayer},
    timeout::TimeoutLayer,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{ServiceBuilder, ServiceExt};

use crate::support::sockets::{UNREACHED_LIMIT, empty, full, hyper_client, origin, read, request};

struct Gateway {
    origin: Origin,
    url: String,
}

impl Gateway {
    async fn start(script: Script) -> Self {
        Self::start_with_timeout(script, UNREACHED_LIMIT).await
    }

    async fn start_with_timeout(script: Script, timeout: Duration) -> Self {
        let origin = origin(script).await;
        let upstream = origin.addr();
        let service = ServiceBuilder::new()
            .layer(LoggingLayer::server())
            .layer(ErrorResponseLayer::new("edge"))
            .layer(RetryLayer::new().backoff(Backoff::none()).budget(Budget::none()))
            .layer(TimeoutLayer::new(timeout))
            .map_request(move |mut request: http::Request<ReplayBody<axum::body::Body>>| {
                let path = request.uri().path();
                *request.uri_mut() = Uri::try_from(format!("http://{upstream}{path}")).unwrap();
                request.headers_mut().remove(HOST);
                request
            })
            .service(hyper_client());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a/path", listener.local_addr().unwrap());
        // The task ends with the runtime of the test.
        tokio::spawn(async { serve(listener, Router::new().fallback_service(service)).await });
        Self { origin, url }
    }

    /// Sends a request without a body.
    ///
    /// A panic in the gateway would close the connection without a response.
    async fn send(&self, method: &str) -> Response<Incoming> {
        hyper_client().oneshot(request(method, &self.url, empty())).await.unwrap()
    }
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// Asserts that the gateway's own response to a GET is as documented.
async fn assert_error_response(gateway: &Gateway, status: u16, cause: &str) {
    let response = gateway.send("GET").await;
    assert_eq!(response.status(), status);
    let proxy_status = format!("edge;error={cause}");
    assert_eq!(header(&response, "proxy-status"), Some(&*proxy_status));
    assert_eq!(header(&response, "content-type"), Some("application/problem+json"));
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    let title = response.status().canonical_reason();
    let body = read(response).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    let expected = json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": cause.replace('_', " "),
        "cause": cause,
    });
    assert_eq!(problem, expected);
}

#[tokio::test]
async fn gateway_returns_502_when_connection_is_refused() {
    let gateway = Gateway::start(Script::Refuse).await;
    assert_error_response(&gateway, 502, "connection_refused").await;
}

#[tokio::test]
async fn gateway_returns_504_when_origin_is_silent() {
    let gateway = Gateway::start_with_timeout(Script::Silent, Duration::from_millis(200)).await;
    assert_error_response(&gateway, 504, "http_response_timeout").await;
    assert_eq!(gateway.origin.requests(), 5);
}

#[tokio::test]
async fn gateway_returns_502_when_response_is_not_http() {
    let gateway = Gateway::start(Script::Garbage).await;
    assert_error_response(&gateway, 502, "http_protocol_error").await;
}

#[tokio::test]
async fn gateway_returns_502_when_connection_ends_before_response() {
    for script in [Script::AcceptClose, Script::ReadClose, Script::Reset, Script::TruncatedHead] {
        let gateway = Gateway::start(script).await;
        assert_error_response(&gateway, 502, "connection_terminated").await;
    }
}

#[tokio::test]
async fn gateway_returns_502_without_retry_when_head_is_overlong() {
    let gateway = Gateway::start(Script::HugeHead).await;
    assert_error_response(&gateway, 502, "http_response_header_section_size").await;
    assert_eq!(gateway.origin.requests(), 1);
}

#[tokio::test]
async fn gateway_hides_failures_of_flaky_origin() {
    let gateway = Gateway::start(Script::Flaky { every: 2 }).await;
    for _ in 0..10 {
        let response = gateway.send("GET").await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "proxy-status"), None);
        assert_eq!(read(response).await.unwrap(), "ok");
    }
    assert_eq!(gateway.origin.requests(), 19);
}

#[tokio::test]
async fn gateway_passes_error_response_of_origin_unchanged() {
    for (status, requests) in [(404, 1), (500, 5), (501, 1), (502, 5), (503, 5), (504, 5)] {
        let gateway = Gateway::start(Script::Status(status)).await;
        let response = gateway.send("GET").await;
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "proxy-status"), None);
        assert_eq!(header(&response, "cache-control"), None);
        assert_eq!(header(&response, "content-type"), None);
        assert_eq!(read(response).await.unwrap(), "failed on purpose");
        assert_eq!(gateway.origin.requests(), requests, "{status}");
    }
}

#[tokio::test]
async fn gateway_sends_post_once_with_body() {
    let gateway = Gateway::start(Script::Status(502)).await;
    let post = request("POST", &gateway.url, full(b"pay 5"));
    assert_eq!(hyper_client().oneshot(post).await.unwrap().status(), 502);
    let received = gateway.origin.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].head.starts_with("POST /a/path HTTP/1.1\r\n"));
    assert_eq!(received[0].body, b"pay 5");
}

#[tokio::test]
async fn gateway_passes_success_byte_for_byte() {
    let gateway = Gateway::start(Script::Raw(
        b"HTTP/1.1 201 Very Created\r\ncontent-length: 7\r\nx-one: 1\r\nx-bytes: caf\xe9 \xff\x80\r\n\
          x-one: 2\r\nx-empty:\r\n\r\n\x00\xff\r\n\r\n\x7f",
    ))
    .await;
    let response = gateway.send("GET").await;
    assert_eq!(response.status(), 201);
    let headers = response.headers();
    let bytes =
        |name| headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect::<Vec<_>>();
    assert_eq!(bytes("x-bytes"), [b"caf\xe9 \xff\x80"]);
    assert_eq!(bytes("x-one"), [b"1", b"2"]);
    assert_eq!(bytes("x-empty"), [b""]);
    assert_eq!(read(response).await.unwrap(), &b"\x00\xff\r\n\r\n\x7f"[..]);
}

/// The caller already has the head. A truncated body is the only way left to report the failure.
#[tokio::test]
async fn gateway_truncates_response_when_origin_truncates_body() {
    for script in [Script::TruncatedBody, Script::TruncatedChunks] {
        let gateway = Gateway::start(script).await;
        let response = gateway.send("GET").await;
        assert_eq!(response.status(), 200);
        read(response).await.unwrap_err();
        assert_eq!(gateway.origin.requests(), 1);
    }
}

/// Reads the raw bytes, because an HTTP client ignores a body that must not be present.
#[tokio::test]
async fn gateway_returns_no_body_when_method_is_head() {
    let gateway = Gateway::start(Script::Refuse).await;
    let authority = gateway.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority.strip_suffix("/a/path").unwrap()).await.unwrap();
    let head = b"HEAD / HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{response}");
    assert!(response.contains("proxy-status: edge;error=connection_refused\r\n"), "{response}");
    assert!(response.contains("content-type: application/problem+json\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
    // RFC 9110 §9.3.2, §8.6: the length is that of the response to a GET, or absent.
    assert!(!response.contains("content-length: 0\r\n"), "{response}");
}

#[tokio::test]
async fn gateway_does_not_disclose_upstream_address() {
    let gateway = Gateway::start(Script::Refuse).await;
    let response = gateway.send("GET").await;
    let port = gateway.origin.addr().port().to_string();
    assert!(!format!("{:?}", response.headers()).contains(&port));
    let body: Bytes = read(response).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains(&port));
}
