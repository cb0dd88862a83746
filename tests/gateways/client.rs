//! A client's whole stack, and a bare client beside it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BadGatewayClassifierLayer, BoxError, CircuitBreakerLayer, Classify, Failure, HttpClassifier,
    LoggingLayer, RetryLayer, TimeoutLayer, bad_gateway,
    circuit_breaker::{Circuit, State},
    classify::{classify_body_error, classify_error},
    logging,
    retry::{Backoff, Budget, ReplayBody},
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};

type Body = Full<Bytes>;
type Answer = Response<logging::ResponseBody<bad_gateway::ResponseBody<Incoming>>>;

/// What became of one call.
pub(crate) struct Met {
    /// `None`: an error, and no response.
    pub(crate) status: Option<u16>,
    pub(crate) headers: HeaderMap,
    /// What was concluded of the response's head, or of the error.
    pub(crate) failure: Option<Failure>,
    /// The response's body, or what was concluded of how it ended.
    pub(crate) body: Result<Bytes, Failure>,
    /// Requests that the stack sent.
    pub(crate) sent: usize,
}

/// Made as a user makes it.
pub(crate) struct Stack {
    client: BoxCloneService<Request<Body>, Answer, BoxError>,
    circuit: Circuit,
    sent: Arc<AtomicUsize>,
}

impl Stack {
    pub(crate) fn new() -> Self {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = {
            let sent = Arc::clone(&sent);
            move |request: Request<ReplayBody<Body>>| {
                sent.fetch_add(1, Ordering::Relaxed);
                request
            }
        };
        let breaker = CircuitBreakerLayer::new();
        let circuit = breaker.handle();
        let client = ServiceBuilder::new()
            .layer(LoggingLayer::client())
            .layer(RetryLayer::new().backoff(Backoff::none()).budget(Budget::none()))
            .layer(breaker)
            .layer(TimeoutLayer::new(Duration::from_secs(10)))
            .map_request(count)
            .layer(BadGatewayClassifierLayer::new())
            .service(Client::builder(TokioExecutor::new()).build_http());
        Self { client: BoxCloneService::new(client), circuit, sent }
    }

    pub(crate) async fn send(&self, method: &Method, addr: SocketAddr, name: &str) -> Met {
        let before = self.sent.load(Ordering::Relaxed);
        let outcome = self.client.clone().oneshot(request(method, addr, name)).await;
        let (mut status, mut headers, mut body) = (None, HeaderMap::new(), Ok(Bytes::new()));
        let failure = match outcome {
            Err(error) => Some(classify_error(&*error)),
            Ok(response) => {
                let failure = conclude(&response);
                let (head, frames) = response.into_parts();
                let whole = frames.collect().await.map_err(|error| classify_body_error(&error));
                (status, headers) = (Some(head.status.as_u16()), head.headers);
                body = whole.map(http_body_util::Collected::to_bytes);
                failure
            }
        };
        let sent = self.sent.load(Ordering::Relaxed) - before;
        Met { status, headers, failure, body, sent }
    }

    /// Whether the circuit is still closed: too few calls, so that each of them reaches the gateway.
    pub(crate) fn is_closed(&self) -> bool {
        self.circuit.state() == State::Closed
    }
}

/// What every layer of the stack makes of a response.
fn conclude<B>(response: &Response<B>) -> Option<Failure> {
    HttpClassifier::new().classify(Ok(response))
}

/// Sends one request without any layer, and gives the status.
pub(crate) async fn bare(method: &Method, addr: SocketAddr, name: &str) -> Option<u16> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let call = async {
        let response = client.request(request(method, addr, name)).await.ok()?;
        let status = response.status().as_u16();
        let _ = response.into_body().collect().await;
        Some(status)
    };
    tokio::time::timeout(Duration::from_secs(10), call).await.ok().flatten()
}

fn request(method: &Method, addr: SocketAddr, name: &str) -> Request<Body> {
    let body = if method == Method::POST { Body::from("hi") } else { Body::default() };
    Request::builder().method(method).uri(url(addr, name)).body(body).unwrap()
}

pub(crate) fn url(addr: SocketAddr, name: &str) -> String {
    format!("http://{addr}/{name}")
}
