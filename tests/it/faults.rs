//! Known faults. Each test asserts the correct behavior. A test of an open fault is ignored, with
//! the number of its issue.

mod dead_connection;
mod grpc;
mod replay;
#[cfg(target_os = "linux")]
mod resources;
mod slow_upload;
mod stale_connection;
mod stalled_readers;
mod tower_errors;
mod truncated_response;

use std::net::SocketAddr;

use ::axum::{Router, body::Body as AxumBody};
use bytes::Bytes;
use http::{Request, Uri, Version, header::HOST, uri::PathAndQuery};
use http_body_util::Full;
use seawall::{
    ReceivedTarget,
    circuit_breaker::{Circuit, State},
    classify::HttpClassifier,
    retry::HttpCallAdapter,
    standard::{Gateway, StandardLayer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::ServiceBuilder;

use crate::support::sockets::{UNREACHED_LIMIT, hyper_client};

type Body = Full<Bytes>;
type GatewayLayer = StandardLayer<HttpClassifier, HttpCallAdapter, Gateway>;

fn request(method: &str, url: &str) -> Request<Body> {
    Request::builder().method(method).uri(url).body(Body::from("x")).unwrap()
}

/// Returns the states of all circuits of the stack.
fn circuit_states<C, P, Side>(layer: &StandardLayer<C, P, Side>) -> Vec<State> {
    layer.circuits().all().iter().map(Circuit::state).collect()
}

/// Limits the time of a test that runs on the real clock.
async fn within_limit<F: Future>(test: F) -> F::Output {
    timeout(UNREACHED_LIMIT, test).await.expect("the test exceeded its time limit")
}

/// Serves a gateway as documented in `seawall::standard`. The gateway removes the prefix `/billing`
/// from paths.
async fn serve_gateway(layer: GatewayLayer, upstream: SocketAddr) -> SocketAddr {
    let stack = ServiceBuilder::new()
        .map_request(move |mut request: Request<AxumBody>| {
            ReceivedTarget::insert(&mut request);
            let path = request.uri().path().trim_start_matches("/billing");
            let path = PathAndQuery::try_from(path).unwrap();
            let uri = Uri::builder().scheme("http").authority(upstream.to_string());
            *request.uri_mut() = uri.path_and_query(path).build().unwrap();
            *request.version_mut() = Version::HTTP_11;
            request.headers_mut().remove(HOST);
            request
        })
        .layer(layer)
        .service(hyper_client());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async { ::axum::serve(listener, Router::new().fallback_service(stack)).await });
    addr
}

/// Sends an HTTP/1.1 POST and returns the first line of the response. The line is empty if the
/// connection closes without a response.
async fn post_to(addr: SocketAddr, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    stream.write_all(format!("{head}content-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response).await;
    String::from_utf8_lossy(&response).lines().next().unwrap_or_default().to_owned()
}
