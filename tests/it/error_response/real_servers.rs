//! The layer in hyper's server and in an axum router, over real sockets.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use seawall::{error_response::ErrorResponseLayer, timeout::TimeoutLayer};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{ServiceBuilder, ServiceExt};

use crate::support::sockets::{empty, hyper_client, read, request};

/// Starts a hyper server for HTTP/1.1 and HTTP/2 whose service always fails.
pub(crate) async fn start_failing_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = ServiceBuilder::new().layer(ErrorResponseLayer::new("edge")).service_fn(
        async |_: Request<Incoming>| {
            Err::<Response<Full<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
        },
    );
    // The task ends with the runtime of the test.
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    addr
}

#[tokio::test]
async fn hyper_server_sends_error_response() {
    let url = format!("http://{}/", start_failing_server().await);
    let response = hyper_client().oneshot(request("GET", &url, empty())).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["proxy-status"], "edge;error=connection_refused");
    let length = response.headers()["content-length"].to_str().unwrap().to_owned();
    let body = read(response).await.unwrap();
    assert_eq!(body.len().to_string(), length);
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["cause"], "connection_refused");
}

/// Reads the raw bytes, because an HTTP client ignores a body that must not be present.
#[tokio::test]
async fn response_to_head_has_headers_of_get_without_body() {
    let mut stream = TcpStream::connect(start_failing_server().await).await.unwrap();
    let requests = b"HEAD / HTTP/1.1\r\nhost: edge\r\naccept: text/html\r\n\r\n\
        GET / HTTP/1.1\r\nhost: edge\r\naccept: text/html\r\nconnection: close\r\n\r\n";
    stream.write_all(requests).await.unwrap();
    let mut responses = String::new();
    stream.read_to_string(&mut responses).await.unwrap();
    let (head, rest) = responses.split_once("\r\n\r\n").unwrap();
    let (get, page) = rest.split_once("\r\n\r\n").unwrap();
    let lines = |head: &str| {
        let is_compared =
            |line: &&str| !line.starts_with("date: ") && !line.starts_with("connection: ");
        head.split("\r\n").filter(is_compared).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(get.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{responses}");
    assert_eq!(lines(head), lines(get));
    assert!(get.contains(&format!("content-length: {}\r\n", page.len())), "{responses}");
    assert!(page.starts_with("<!doctype html>"), "{responses}");
}

#[tokio::test(start_paused = true)]
async fn layer_in_axum_router_returns_504_when_handler_hangs() {
    let app = Router::new().route("/", get(std::future::pending::<&str>)).layer(
        ServiceBuilder::new()
            .layer(ErrorResponseLayer::new("edge"))
            .layer(TimeoutLayer::new(Duration::from_secs(10))),
    );
    for (method, is_empty) in [("GET", false), ("HEAD", true)] {
        let request = Request::builder().method(method).uri("/");
        let request =
            request.header("accept", "text/html").body(axum::body::Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 504);
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert_ne!(response.headers()["content-length"], "0");
        assert_eq!(read(response).await.unwrap().is_empty(), is_empty);
    }
}

#[cfg(feature = "tonic-0_14")]
#[tokio::test]
async fn tonic_client_gets_unavailable_status() {
    use crate::tonic::{call, eager};

    let status = call(start_failing_server().await, eager()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert_eq!(status.message(), "connection refused");
}
