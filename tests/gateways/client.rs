//! A client with a complete stack, and a bare client.

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
    BoxError, Failure,
    bad_gateway::{self, BadGatewayClassifierLayer},
    circuit_breaker::{Circuit, CircuitBreakerLayer, State},
    classify::{Classify, HttpClassifier, classify_body_error, classify_error},
    logging::{self, LoggingLayer},
    retry::{Backoff, Budget, ReplayBody, RetryLayer},
    timeout::TimeoutLayer,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};

type Body = Full<Bytes>;
type HttpResponse = Response<logging::ResponseBody<bad_gateway::ResponseBody<Incoming>>>;

/// The result of one call.
pub(crate) struct CallResult {
    /// `None` if the call returned an error.
    pub(crate) status: Option<u16>,
    pub(crate) headers: HeaderMap,
    /// The failure according to the response head or the error.
    pub(crate) failure: Option<Failure>,
    /// The response body, or the failure that ended it.
    pub(crate) body: Result<Bytes, Failure>,
    /// The number of requests that the stack sent.
    pub(crate) sent: usize,
}

/// A client stack as a user composes it.
pub(crate) struct Stack {
    client: BoxCloneService<Request<Body>, HttpResponse, BoxError>,
    circuit: Circuit,
    sent: Arc<AtomicUsize>,
}

impl Stack {
    pub(crate) fn new() -> Self {
        let sent = Arc::new(AtomicUsize::new(0));
        let count_request = {
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
            .map_request(count_request)
            .layer(BadGatewayClassifierLayer::new())
            .service(Client::builder(TokioExecutor::new()).build_http());
        Self { client: BoxCloneService::new(client), circuit, sent }
    }

    pub(crate) async fn send(&self, method: &Method, addr: SocketAddr, name: &str) -> CallResult {
        let initially_sent = self.sent.load(Ordering::Relaxed);
        let outcome = self.client.clone().oneshot(request(method, addr, name)).await;
        let (mut status, mut headers, mut body) = (None, HeaderMap::new(), Ok(Bytes::new()));
        let failure = match outcome {
            Err(error) => Some(classify_error(&*error)),
            Ok(response) => {
                let failure = classify(&response);
                let (head, frames) = response.into_parts();
                let collected = frames.collect().await.map_err(|error| classify_body_error(&error));
                (status, headers) = (Some(head.status.as_u16()), head.headers);
                body = collected.map(http_body_util::Collected::to_bytes);
                failure
            }
        };
        let sent = self.sent.load(Ordering::Relaxed) - initially_sent;
        CallResult { status, headers, failure, body, sent }
    }

    /// Returns true if the circuit is closed, so that each call reaches the gateway.
    pub(crate) fn is_circuit_closed(&self) -> bool {
        self.circuit.state() == State::Closed
    }
}

/// Classifies a response as the layers of the stack do.
fn classify<B>(response: &Response<B>) -> Option<Failure> {
    HttpClassifier::new().classify(Ok(response))
}

/// Sends one request without layers and returns the status.
pub(crate) async fn send_bare(method: &Method, addr: SocketAddr, name: &str) -> Option<u16> {
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
