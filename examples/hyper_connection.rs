//! A hyper connection without a pool, opened, driven and reopened by hand.
//! `cargo run --all-features --example hyper_connection`

use std::{net::SocketAddr, sync::Arc};

use futures_util::lock::Mutex;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use seawall::{
    BoxError,
    retry::ReplayBody,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Script, Step},
};
use tokio::net::TcpStream;
use tower::{ServiceBuilder, ServiceExt};

type Body = ReplayBody<String>;

/// One connection for sequential calls.
#[derive(Clone)]
struct Connection {
    addr: SocketAddr,
    idle: Arc<Mutex<Option<SendRequest<Body>>>>,
}

impl Connection {
    async fn send(self, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        // HTTP/1.1 allows one call at a time. Other calls wait here until their attempt times out.
        let mut idle = self.idle.lock().await;
        let mut sender = match idle.take() {
            Some(sender) => sender,
            None => self.open().await?,
        };
        // Waits until the last response is read. Fails if the connection has closed.
        if sender.ready().await.is_err() {
            sender = self.open().await?;
        }
        let response = sender.send_request(request).await?;
        *idle = Some(sender);
        Ok(response)
    }

    async fn open(&self) -> Result<SendRequest<Body>, BoxError> {
        let stream = TcpStream::connect(self.addr).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Each connection serves two requests and is closed during the third.
    let (ok, close) = (|| Step::ok("ok"), Step::close());
    let script = Script::new().times(2, ok()).then(close.clone()).times(2, ok()).then(close);
    let upstream = FlakyUpstream::start(script.then_repeat(ok())).await?;
    let connection = Connection { addr: upstream.addr(), idle: Arc::default() };
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("hyper_connection"))
        .service_fn(move |request| connection.clone().send(request));

    for call in 1..=6 {
        let request = Request::get("/").header("host", "upstream").body(String::new())?;
        let response = client.clone().oneshot(request).await?;
        println!("call {call}: {}", response.status());
        assert_eq!(response.into_body().collect().await?.to_bytes(), "ok");
    }

    println!("{} connections, {} requests", upstream.connections(), upstream.requests());
    assert_eq!((upstream.connections(), upstream.requests()), (3, 8));
    Ok(())
}
