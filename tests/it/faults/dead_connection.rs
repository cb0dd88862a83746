//! An HTTP/2 connection whose peer disappears without closing it.
//!
//! Uses real sockets and the real clock.

use std::{
    fmt::Debug,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use seawall::{
    hyper_util::{PoisonOnTimeout, TrackReuse},
    retry::ReplayBody,
    standard::{StandardLayer, Timeouts},
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::{Layer, Service, ServiceExt};

use super::{Body, request, within_limit};

const CALLS: usize = 5;

#[derive(Clone, Copy, PartialEq)]
enum Remedy {
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
    let client: Client<_, ReplayBody<Body>> = builder.build(TrackReuse::new(HttpConnector::new()));
    let timeouts = Timeouts::new(Duration::from_millis(200), Duration::from_secs(5)).unwrap();
    let layer = StandardLayer::new("up").timeouts(timeouts);
    match remedy {
        Remedy::Pings => call_through(layer.layer(client), &url, &connections).await,
        Remedy::Poison => {
            call_through(layer.layer(PoisonOnTimeout::new(client)), &url, &connections).await
        }
    }
}

async fn call_through<S, R>(service: S, url: &str, connections: &AtomicUsize) -> (usize, usize)
where
    S: Service<Request<Body>, Response = R, Error: Debug> + Clone,
{
    service.clone().oneshot(request("GET", url)).await.unwrap();
    sleep(Duration::from_millis(150)).await;
    let mut successes = 0;
    for _ in 0..CALLS {
        successes += usize::from(service.clone().oneshot(request("GET", url)).await.is_ok());
    }
    (successes, connections.load(Ordering::SeqCst))
}

#[tokio::test]
async fn calls_succeed_when_client_pings_silent_http2_peer() {
    assert_eq!(within_limit(call(Remedy::Pings)).await, (CALLS, 2));
}

#[tokio::test]
async fn calls_succeed_when_timeout_poisons_silent_connection() {
    assert_eq!(within_limit(call(Remedy::Poison)).await, (CALLS, 2));
}

/// Makes a call that times out, in a stack around an HTTP/2 client. Returns the number of connections
/// after a second call.
async fn connections_after_timeout(is_silent: bool, by_caller: bool) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let accepted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            accepted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let mut held = Vec::new();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    match request.uri().path() {
                        "/stall" => held.push(respond),
                        _ => drop(respond.send_response(Response::new(()), true)),
                    }
                }
            });
        }
    });
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build(TrackReuse::new(HttpConnector::new()));
    let timeouts = Timeouts::new(Duration::from_millis(200), Duration::from_secs(5)).unwrap();
    let layer = StandardLayer::new("up").without_retry().timeouts(timeouts);
    let service = layer.layer(PoisonOnTimeout::new(client));
    let call = async |path| service.clone().oneshot(request("GET", &format!("{url}{path}"))).await;
    call("").await.unwrap();
    let limit = Duration::from_millis(if by_caller { 100 } else { 2_000 });
    let stalled = timeout(limit, call("stall"));
    let other = async {
        sleep(Duration::from_millis(50)).await;
        if !is_silent {
            call("").await.unwrap();
        }
    };
    let (stalled, ()) = tokio::join!(stalled, other);
    assert_eq!(stalled.is_err(), by_caller);
    assert!(!matches!(stalled, Ok(Ok(_))));
    call("").await.unwrap();
    connections.load(Ordering::SeqCst)
}

#[tokio::test]
async fn timeout_poisons_connection_only_when_silent() {
    assert_eq!(within_limit(connections_after_timeout(true, false)).await, 2);
    assert_eq!(within_limit(connections_after_timeout(false, false)).await, 1);
    // The caller gave up, and no timeout passed.
    assert_eq!(within_limit(connections_after_timeout(true, true)).await, 1);
}
