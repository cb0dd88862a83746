//! `RetryLayer`: when a request is sent again, and what the caller gets.

mod attempts;
mod backoff;
mod bodies;
#[cfg(feature = "full")]
mod boundaries;
mod budget;
mod deadline;
mod limits;
mod readiness;
mod retryable;
mod tower;

use std::time::Duration;

use ::tower::{Layer, Service, ServiceExt};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use seawall::{
    BoxError, Deadline,
    retry::{Backoff, Budget, ReplayBody, RetryLayer, RetryReport, StopReason},
};

use crate::support::get;

type Body = Full<Bytes>;

fn request(method: &Method) -> Request<Body> {
    Request::builder().method(method).uri("http://upstream/").body(Body::from("hi")).unwrap()
}

/// A GET request with a body. [`get`](crate::support::get) has none.
fn get_with_body() -> Request<Body> {
    request(&Method::GET)
}

fn post() -> Request<Body> {
    Request::post("http://upstream/").body(Body::from("pay")).unwrap()
}

fn put<B>(body: B) -> Request<B> {
    Request::put("http://upstream/").body(body).unwrap()
}

/// A GET request with this much time until its deadline.
fn within(time: Duration) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(time));
    request
}

/// The default backoff, without a budget.
fn unbudgeted() -> RetryLayer {
    RetryLayer::new().budget(Budget::none())
}

/// Neither backoff nor budget.
fn immediate() -> RetryLayer {
    unbudgeted().backoff(Backoff::none())
}

/// No backoff, and the default budget.
fn immediate_with_budget() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

async fn call<S, B>(
    layer: &RetryLayer,
    upstream: &S,
    request: Request<Body>,
) -> Result<Response<B>, BoxError>
where
    S: Service<Request<ReplayBody<Body>>, Response = Response<B>, Error = BoxError> + Clone,
    B: http_body::Body,
{
    layer.layer(upstream.clone()).oneshot(request).await
}

/// The number of attempts, and why retrying stopped.
fn report<B>(response: &Response<B>) -> (u32, Option<StopReason>) {
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    (attempts.count().get(), attempts.stop_reason())
}

fn stop_reason<B>(response: &Response<B>) -> Option<StopReason> {
    response.extensions().get::<RetryReport>().unwrap().stop_reason()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
