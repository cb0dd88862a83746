//! `RetryLayer`: conditions of a retry, and the outcome of the call.

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

/// Returns a GET request with a body. [`get`](crate::support::get) has none.
fn get_with_body() -> Request<Body> {
    request(&Method::GET)
}

fn post() -> Request<Body> {
    Request::post("http://upstream/").body(Body::from("pay")).unwrap()
}

fn put<B>(body: B) -> Request<B> {
    Request::put("http://upstream/").body(body).unwrap()
}

/// Returns a GET request with a deadline after `time`.
fn within(time: Duration) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(time));
    request
}

/// Returns a layer with the default backoff and no budget.
fn unbudgeted() -> RetryLayer {
    RetryLayer::new().budget(Budget::none())
}

/// Returns a layer with neither backoff nor budget.
fn immediate() -> RetryLayer {
    unbudgeted().backoff(Backoff::none())
}

/// Returns a layer with the default budget and no backoff.
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

/// Returns the number of attempts and the stop reason.
fn report<B>(response: &Response<B>) -> (u32, Option<StopReason>) {
    let report = response.extensions().get::<RetryReport>().unwrap();
    (report.attempts().get(), report.stop_reason())
}

fn stop_reason<B>(response: &Response<B>) -> Option<StopReason> {
    response.extensions().get::<RetryReport>().unwrap().stop_reason()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
