//! A tonic channel inside the stack, in front of a gRPC server that is sometimes UNAVAILABLE.
//!
//! `cargo run --all-features --example tonic_client`

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{sync::Arc, time::Duration};

use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE, uri::PathAndQuery};
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError,
    classify::GrpcClassifier,
    retry::RetryLayer,
    standard::StandardLayer,
    tonic::{Client, StatusLayer},
};
use tokio::net::TcpListener;
use tonic::{Request, client::Grpc, transport::Endpoint};
use tonic_prost::ProstCodec;
use tower::ServiceBuilder;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let requests = Arc::new(AtomicU32::new(0));
    // Pings replace a connection whose peer has disappeared. The server must permit the interval.
    let channel = Endpoint::from_shared(flaky_upstream(Arc::clone(&requests)).await?)?
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5));

    // Every gRPC call is a POST. Only you can know that these are safe to repeat.
    let stack = StandardLayer::new("greeter")
        .classifier(GrpcClassifier::new())
        .retry(RetryLayer::new().retry_all_methods());
    let service = ServiceBuilder::new()
        // Gives a timeout, an open circuit and a limit their status codes.
        .layer(StatusLayer::new())
        .layer(stack)
        .service(Client::new(channel.connect_lazy()));

    // Generated code does the same: `GreeterClient::new(service)`.
    let mut client = Grpc::new(service);
    for call in 1..=5 {
        client.ready().await?;
        let path = PathAndQuery::from_static("/greeter.Greeter/Hello");
        let request = Request::new(format!("call {call}"));
        let reply = client.unary(request, path, ProstCodec::default()).await?;
        let reply: String = reply.into_inner();
        println!("call {call}: {reply}");
        assert_eq!(reply, "hello");
    }

    println!("5 calls, {} requests", requests.load(Relaxed));
    assert_eq!(requests.load(Relaxed), 7);
    Ok(())
}

/// Starts a server that fails every third call with UNAVAILABLE. Otherwise it sends a message whose
/// first field is `hello`.
async fn flaky_upstream(requests: Arc<AtomicU32>) -> Result<String, BoxError> {
    let respond = async move || {
        let failed = (requests.fetch_add(1, Relaxed) + 1).is_multiple_of(3);
        let message = if failed { &b""[..] } else { b"\0\0\0\0\x07\x0a\x05hello" };
        let status = |code| HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static(code))]);
        let body = Full::from(message).with_trailers(async move { Some(Ok(status("0"))) });
        let head = if failed { status("14") } else { HeaderMap::new() };
        ([(CONTENT_TYPE, "application/grpc")], head, axum::body::Body::new(body))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(respond)).await });
    Ok(url)
}
