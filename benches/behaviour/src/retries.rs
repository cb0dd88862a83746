//! Retrying clients with the defaults of their crates, except for the backoff, which is off if
//! possible.

use std::{error::Error, future::Ready, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use seawall::retry::{Backoff, RetryLayer};
use tower::{
    Layer, Service, ServiceExt,
    retry::{
        Policy, Retry,
        budget::{Budget, TpsBudget},
    },
};

pub(crate) type Body = Full<Bytes>;

/// Sends a request and reads the complete response.
pub(crate) type HttpClient = Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Result<u16, String>>>;

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) is_seawall: bool,
    pub(crate) decides: Decides,
    pub(crate) make: fn() -> HttpClient,
}

/// The decisions that a peer makes. The user makes the others, as this file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decides {
    Nothing,
    /// The time and the number of retries.
    How,
    /// Also the requests to retry.
    HowAndWhich,
}

pub(crate) fn all() -> Vec<Peer> {
    use Decides::{How, HowAndWhich, Nothing};

    let peer = |name, decides, make| Peer { name, is_seawall: false, decides, make };
    vec![
        Peer { is_seawall: true, ..peer("seawall", HowAndWhich, seawall) },
        peer("tower Retry, TpsBudget", Nothing, tower),
        peer("tower-resilience Retry", How, tower_resilience),
        peer("reqwest-retry", HowAndWhich, reqwest_retry),
        peer("reqwest", How, reqwest),
    ]
}

fn seawall() -> HttpClient {
    let layer = RetryLayer::new().backoff(Backoff::none());
    service(layer.layer(Client::builder(TokioExecutor::new()).build_http()))
}

fn tower() -> HttpClient {
    let policy = RetryServerErrors { retries_left: 3, budget: Arc::new(TpsBudget::default()) };
    service(Retry::new(policy, hyper_client()))
}

fn tower_resilience() -> HttpClient {
    let layer =
        tower_resilience_retry::RetryLayer::<Request<Body>, Response<Incoming>, _>::builder()
            .max_attempts(4)
            .fixed_backoff(Duration::ZERO)
            // By default, this layer retries no response.
            .retry_on_response(|response: &Response<Incoming>| response.status().is_server_error())
            .build();
    service(layer.layer(hyper_client()))
}

fn hyper_client() -> Client<hyper_util::client::legacy::connect::HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn service<S, E>(service: S) -> HttpClient
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error = E> + Clone,
    S: Send + 'static,
    S::Future: Send,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    Box::new(move |request| {
        let service = service.clone();
        Box::pin(async move {
            let response =
                service.oneshot(request).await.map_err(|error| error.into().to_string())?;
            let status = response.status().as_u16();
            response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok(status)
        })
    })
}

/// A typical policy for tower: it retries failures without backoff.
#[derive(Clone)]
struct RetryServerErrors {
    retries_left: u32,
    budget: Arc<TpsBudget>,
}

impl<E> Policy<Request<Body>, Response<Incoming>, E> for RetryServerErrors {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        outcome: &mut Result<Response<Incoming>, E>,
    ) -> Option<Ready<()>> {
        if outcome.as_ref().is_ok_and(|response| !response.status().is_server_error()) {
            self.budget.deposit();
            return None;
        }
        self.retries_left = self.retries_left.checked_sub(1)?;
        self.budget.withdraw().then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}

fn reqwest_retry() -> HttpClient {
    let policy = ExponentialBackoff::builder()
        .retry_bounds(Duration::ZERO, Duration::ZERO)
        .build_with_max_retries(3);
    let client = ClientBuilder::new(build_reqwest(reqwest::Client::builder()))
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    Box::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let request = convert(request).await;
            let response = client.execute(request).await.map_err(|error| error.to_string())?;
            read_body(response).await
        })
    })
}

/// Returns a client with reqwest's retries. reqwest requires a host and a choice of statuses.
fn reqwest() -> HttpClient {
    let retries =
        reqwest::retry::for_host("127.0.0.1").classify_fn(|attempt| match attempt.status() {
            Some(status) if status.is_server_error() => attempt.retryable(),
            _ => attempt.success(),
        });
    let client = build_reqwest(reqwest::Client::builder().retry(retries));
    Box::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let request = convert(request).await;
            read_body(client.execute(request).await.map_err(|error| error.to_string())?).await
        })
    })
}

fn build_reqwest(builder: reqwest::ClientBuilder) -> reqwest::Client {
    builder.no_proxy().build().expect("the settings are valid")
}

/// Converts the request. Its body is in memory, because both reqwest clients require that for a
/// retry.
async fn convert(request: Request<Body>) -> reqwest::Request {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await;
    Request::from_parts(parts, body.to_bytes()).try_into().expect("the URL is valid")
}

async fn read_body(response: reqwest::Response) -> Result<u16, String> {
    let status = response.status().as_u16();
    response.bytes().await.map_err(|error| error.to_string())?;
    Ok(status)
}
