//! `Config`: policies from a file, and their replacement at run time.

mod concurrency;
mod equivalent_urls;
mod inheritance;
mod keys;
mod prefixes;
mod readiness;
mod reload;
#[cfg(feature = "config-schema")]
mod schema;
mod validation;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use seawall::{
    BoxError,
    config::{Config, ConfigError, ConfiguredLayer},
    retry::ReplayBody,
    standard::StandardLayer,
};
use tower::{Layer, Service, ServiceExt};

type Body = Full<Bytes>;

/// Returns the error of an invalid configuration.
#[track_caller]
fn invalid_config(text: &str) -> ConfigError {
    match Config::from_toml(text) {
        Ok(config) => panic!("expected an error, found {config:?}"),
        Err(invalid) => invalid,
    }
}

#[track_caller]
fn config(text: &str) -> Config {
    Config::from_toml(text).unwrap_or_else(|invalid| panic!("{invalid}"))
}

fn configured(text: &str) -> ConfiguredLayer {
    ConfiguredLayer::new(StandardLayer::new("test"), config(text))
}

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}

/// An upstream that gives each request the same status, or no response, and counts the requests.
#[derive(Clone, Debug)]
struct Upstream {
    status: Arc<Mutex<Option<u16>>>,
    requests: Arc<AtomicUsize>,
}

impl Upstream {
    /// `None` leaves each request without a response.
    fn new(status: impl Into<Option<u16>>) -> Self {
        Self { status: Arc::new(Mutex::new(status.into())), requests: Arc::default() }
    }

    fn set(&self, status: impl Into<Option<u16>>) {
        *self.status.lock().unwrap() = status.into();
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl Service<Request<ReplayBody<Body>>> for Upstream {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<ReplayBody<Body>>) -> ResponseFuture {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let status = *self.status.lock().unwrap();
        Box::pin(async move {
            let Some(status) = status else { return std::future::pending().await };
            let response = Response::builder().status(status).body(Body::default());
            Ok(response.unwrap())
        })
    }
}
