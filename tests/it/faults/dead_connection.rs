//! An HTTP/2 connection whose peer disappears without closing it.
//!
//! Uses real sockets and the real clock.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{CaptureConnection, HttpConnector, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use seawall::{
    BoxError,
    retry::ReplayBody,
    standard::{StandardLayer, Timeouts},
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::{Layer, ServiceExt, service_fn};

use super::{Body, request, within_limit};

const CALLS: usize = 5;

#[derive(Clone, Copy, PartialEq)]
enum Remedy {
    None,
    Pings,
    Poison,
}

/// Starts an upstream whose first connection answers one request and then stalls. Later connections
/// answer every request.
async fn upstream() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let accepted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let is_first = accepted.fetch_add(1, Ordering::SeqCst) == 0;
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let _ = respond.send_response(Response::new(()), true);
                    if is_first {
                        // Polling the connection flushes the response.
                        let _ = timeout(Duration::from_millis(100), connection.accept()).await;
                        pending::<()>().await;
                    }
                }
            });
        }
    });
    (url, connections)
}

/// Poisons the connection of an attempt that is dropped before its response.
struct PoisonOnDrop(Option<CaptureConnection>);

impl Drop for PoisonOnDrop {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take()
            && let Some(connected) = connection.connection_metadata().as_ref()
        {
            connected.poison();
        }
    }
}

/// Makes calls after the first connection stalls. Returns the numbers of successes and connections.
async fn call(remedy: Remedy) -> (usize, usize) {
    let (url, connections) = upstream().await;
    let mut builder = Client::builder(TokioExecutor::new());
    builder.http2_only(true);
    if remedy == Remedy::Pings {
        builder.timer(TokioTimer::new()).http2_keep_alive_interval(Duration::from_millis(100));
        builder
            .http2_keep_alive_timeout(Duration::from_millis(100))
            .http2_keep_alive_while_idle(true);
    }
    let client: Client<HttpConnector, ReplayBody<Body>> = builder.build_http();
    let client = service_fn(move |mut request: Request<ReplayBody<Body>>| {
        let client = client.clone();
        async move {
            let captured = (remedy == Remedy::Poison).then(|| capture_connection(&mut request));
            let mut guard = PoisonOnDrop(captured);
            let result = client.request(request).await;
            guard.0 = None;
            result.map_err(BoxError::from)
        }
    });
    let timeouts = Timeouts::new(Duration::from_millis(200), Duration::from_secs(5)).unwrap();
    let service = StandardLayer::new("up").timeouts(timeouts).layer(client);
    service.clone().oneshot(request("GET", &url)).await.unwrap();
    sleep(Duration::from_millis(150)).await;
    let mut successes = 0;
    for _ in 0..CALLS {
        successes += usize::from(service.clone().oneshot(request("GET", &url)).await.is_ok());
    }
    (successes, connections.load(Ordering::SeqCst))
}

#[tokio::test]
#[ignore = "22: every retry uses the HTTP/2 connection on which the last attempt timed out"]
async fn retry_opens_connection_when_http2_peer_is_silent() {
    let (successes, connections) = within_limit(call(Remedy::None)).await;
    assert!(
        successes > 0,
        "expected a success, found none in {CALLS} calls on {connections} connection(s)"
    );
}

#[tokio::test]
async fn calls_succeed_when_client_pings_silent_http2_peer() {
    assert_eq!(within_limit(call(Remedy::Pings)).await, (CALLS, 2));
}

#[tokio::test]
async fn calls_succeed_when_client_poisons_silent_connection() {
    assert_eq!(within_limit(call(Remedy::Poison)).await, (CALLS, 2));
}
