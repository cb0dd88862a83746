//! Clients that retry, each as its crate comes, but for the wait between attempts, which is none where it can be set.

use std::{error::Error, future::Ready, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use seawall::{RetryLayer, retry::Backoff};
use tower::{
    Layer, Service, ServiceExt,
    retry::{
        Policy, Retry,
        budget::{Budget, TpsBudget},
    },
};

pub(crate) type Body = Full<Bytes>;

/// Sends a request, and reads the response to its end.
pub(crate) type Send = Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Result<u16, String>>>;

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) is_ours: bool,
    pub(crate) decides: Decides,
    pub(crate) make: fn() -> Send,
}

/// What a peer decides by itself; the rest is its user's, here this file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decides {
    Nothing,
    /// How to retry: when, how often, how many in all.
    How,
    /// And what.
    HowAndWhat,
}

pub(crate) fn all() -> Vec<Peer> {
    use Decides::{How, HowAndWhat, Nothing};

    let peer = |name, decides, make| Peer { name, is_ours: false, decides, make };
    vec![
        Peer { is_ours: true, ..peer("seawall", HowAndWhat, seawall) },
        peer("tower Retry, TpsBudget", Nothing, tower),
        peer("tower-resilience Retry", How, tower_resilience),
        peer("reqwest-retry", HowAndWhat, reqwest_retry),
        peer("reqwest", How, reqwest),
    ]
}

fn seawall() -> Send {
    let layer = RetryLayer::new().backoff(Backoff::none());
    service(layer.layer(Client::builder(TokioExecutor::new()).build_http()))
}

fn tower() -> Send {
    let policy = FailedAgain { left: 3, budget: Arc::new(TpsBudget::default()) };
    service(Retry::new(policy, hyper()))
}

fn tower_resilience() -> Send {
    let layer =
        tower_resilience_retry::RetryLayer::<Request<Body>, Response<Incoming>, _>::builder()
            .max_attempts(4)
            .fixed_backoff(Duration::ZERO)
            // It has no opinion on responses; without this it retries none.
            .retry_on_response(|response: &Response<Incoming>| response.status().is_server_error())
            .build();
    service(layer.layer(hyper()))
}

fn hyper() -> Client<hyper_util::client::legacy::connect::HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn service<S, E>(service: S) -> Send
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error = E> + Clone,
    S: std::marker::Send + 'static,
    S::Future: std::marker::Send,
    E: Into<Box<dyn Error + std::marker::Send + Sync>>,
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

/// A policy as tower's users write one: what failed is tried again at once.
#[derive(Clone)]
struct FailedAgain {
    left: u32,
    budget: Arc<TpsBudget>,
}

impl<E> Policy<Request<Body>, Response<Incoming>, E> for FailedAgain {
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
        self.left = self.left.checked_sub(1)?;
        self.budget.withdraw().then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}

fn reqwest_retry() -> Send {
    let policy = ExponentialBackoff::builder()
        .retry_bounds(Duration::ZERO, Duration::ZERO)
        .build_with_max_retries(3);
    let client = ClientBuilder::new(plain(reqwest::Client::builder()))
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    Box::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let request = converted(request).await;
            let response = client.execute(request).await.map_err(|error| error.to_string())?;
            read(response).await
        })
    })
}

/// With its retries for one host, told what every one of its users has to tell it: which statuses.
fn reqwest() -> Send {
    let retries = reqwest::retry::for_host("127.0.0.1").classify_fn(|tried| match tried.status() {
        Some(status) if status.is_server_error() => tried.retryable(),
        _ => tried.success(),
    });
    let client = plain(reqwest::Client::builder().retry(retries));
    Box::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            let request = converted(request).await;
            read(client.execute(request).await.map_err(|error| error.to_string())?).await
        })
    })
}

fn plain(builder: reqwest::ClientBuilder) -> reqwest::Client {
    builder.no_proxy().build().expect("nothing that could be missing here")
}

/// With its body in memory, which these two need in order to send it again.
async fn converted(request: Request<Body>) -> reqwest::Request {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await;
    Request::from_parts(parts, body.to_bytes()).try_into().expect("a URL")
}

async fn read(response: reqwest::Response) -> Result<u16, String> {
    let status = response.status().as_u16();
    response.bytes().await.map_err(|error| error.to_string())?;
    Ok(status)
}
