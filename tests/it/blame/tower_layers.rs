//! Rejections and time limits of the layers of tower and tower-http inside the stack.
//!
//! The table in `docs/blame.md` has the same rows.

use std::{
    convert::Infallible,
    future::{Ready, pending},
    io, iter,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use seawall::{BoxError, Cause, Detail, Processed, classify::classify_error};
use tower::{
    Service, ServiceBuilder, ServiceExt, balance::p2c::Balance, buffer::Buffer, discover::Change,
    load::Constant, service_fn, util::BoxService,
};
use tower_http::timeout::{TimeoutBody, TimeoutLayer};
use tracing::Level;

use super::{Body, Reaction, failing, reaction_to, request};

type Inner = BoxService<(), (), BoxError>;

fn ready_service() -> Inner {
    BoxService::new(service_fn(async |()| Ok(())))
}

fn local_rejection() -> Reaction {
    Reaction { status: 503, counts: false, is_retried: false, level: Level::DEBUG }
}

fn time_limit() -> Reaction {
    Reaction { status: 504, counts: true, is_retried: true, level: Level::WARN }
}

async fn check<F>(make: fn() -> F, (cause, processed): (Cause, Processed), expected: Reaction)
where
    F: Future<Output = BoxError> + 'static,
{
    let failure = classify_error(&*make().await);
    assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{failure}");
    let fail = failing(move || async move { Err(make().await) });
    assert_eq!(reaction_to(&fail).await, expected, "{failure}");
}

async fn call_twice<S>(mut service: S) -> BoxError
where
    S: Service<(), Response = (), Error = BoxError>,
{
    for _ in 0..2 {
        if let Err(error) = async { service.ready().await?.call(()).await }.await {
            return error;
        }
    }
    panic!("expected an error")
}

#[tokio::test(start_paused = true)]
async fn overloaded_of_concurrency_limit_is_rejection() {
    async fn error() -> BoxError {
        let service = ServiceBuilder::new().load_shed().concurrency_limit(0);
        call_twice(service.service(ready_service())).await
    }
    let failure = classify_error(&*error().await);
    assert_eq!(failure.detail(), Some(Detail::LoadShed));
    assert!(failure.to_string().contains("(load shed, detected locally"), "{failure}");
    let verdict = (Cause::ConnectionLimitReached, Processed::No);
    check(error, verdict, local_rejection()).await;
}

#[tokio::test(start_paused = true)]
async fn overloaded_of_rate_limit_is_rejection() {
    async fn error() -> BoxError {
        let service = ServiceBuilder::new().load_shed().rate_limit(1, Duration::from_secs(9));
        call_twice(service.service(ready_service())).await
    }
    let verdict = (Cause::ConnectionLimitReached, Processed::No);
    check(error, verdict, local_rejection()).await;
}

#[tokio::test(start_paused = true)]
async fn closed_buffer_is_rejection() {
    async fn error() -> BoxError {
        let (service, worker) = Buffer::<(), _>::pair(ready_service(), 1);
        drop(worker);
        call_twice(service).await
    }
    let expected = Reaction { level: Level::WARN, ..local_rejection() };
    check(error, (Cause::ProxyInternalError, Processed::No), expected).await;
}

/// A service that never becomes ready.
#[derive(Clone)]
struct Unready;

impl Service<()> for Unready {
    type Response = ();
    type Error = BoxError;
    type Future = Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        unreachable!()
    }
}

/// The worker repeats its last error forever, so the error is about the buffer.
#[tokio::test(start_paused = true)]
async fn buffer_of_failed_service_is_rejection() {
    async fn error() -> BoxError {
        call_twice(Buffer::new(Unready, 1)).await
    }
    let expected = Reaction { level: Level::WARN, ..local_rejection() };
    check(error, (Cause::ProxyInternalError, Processed::No), expected).await;
}

#[tokio::test(start_paused = true)]
async fn timeout_of_tower_counts_like_ours() {
    async fn error() -> BoxError {
        let service = ServiceBuilder::new().timeout(Duration::from_secs(1));
        let silent = service_fn(async |()| pending::<Result<(), BoxError>>().await);
        service.service(silent).oneshot(()).await.unwrap_err()
    }
    check(error, (Cause::HttpResponseTimeout, Processed::Maybe), time_limit()).await;
}

#[tokio::test(start_paused = true)]
async fn body_timeout_of_tower_http_counts_like_ours() {
    async fn error() -> BoxError {
        let frames = stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>();
        let body = http_body_util::StreamBody::new(frames);
        TimeoutBody::new(Duration::from_secs(1), body).collect().await.unwrap_err()
    }
    check(error, (Cause::HttpResponseTimeout, Processed::Maybe), time_limit()).await;
}

/// The layer returns a response. Its status is the user's choice, and passes on unchanged.
#[tokio::test(start_paused = true)]
async fn timeout_layer_of_tower_http_counts_like_ours() {
    for status in [StatusCode::GATEWAY_TIMEOUT, StatusCode::REQUEST_TIMEOUT] {
        let fail = failing(move || {
            let layer = TimeoutLayer::with_status_code(status, Duration::from_secs(1));
            let silent = service_fn(async |_: Request<Body>| {
                pending::<Result<Response<Body>, BoxError>>().await
            });
            ServiceBuilder::new().layer(layer).service(silent).oneshot(request("GET"))
        });
        let expected = Reaction { status: status.as_u16(), ..time_limit() };
        assert_eq!(reaction_to(&fail).await, expected);
    }
}

/// `tower_governor` responds with 429, like an upstream.
#[tokio::test(start_paused = true)]
async fn rate_limit_response_is_retried_after_its_wait_and_not_counted() {
    let fail = failing(|| async {
        let response = Response::builder().status(429);
        let response = response.header("x-ratelimit-after", "1").header("retry-after", "1");
        Ok(response.body(Full::from("Too Many Requests! Wait for 1s")).unwrap())
    });
    let expected = Reaction { status: 429, counts: false, is_retried: true, level: Level::WARN };
    assert_eq!(reaction_to(&fail).await, expected);
}

type Endpoint = Constant<Inner, u8>;

#[tokio::test(start_paused = true)]
async fn failed_discovery_of_balancer_is_unavailable_and_not_counted() {
    async fn error() -> BoxError {
        let failed = stream::iter(iter::once(Err::<Change<u8, Endpoint>, BoxError>("gone".into())));
        call_twice(Balance::new(failed)).await
    }
    let expected = Reaction { is_retried: true, level: Level::WARN, ..local_rejection() };
    check(error, (Cause::DestinationUnavailable, Processed::No), expected).await;
}

/// A balancer without endpoints is not ready, so `load_shed` rejects the call.
#[tokio::test(start_paused = true)]
async fn overloaded_of_empty_balancer_is_rejection() {
    async fn error() -> BoxError {
        let empty = stream::pending::<Result<Change<u8, Endpoint>, BoxError>>();
        call_twice(ServiceBuilder::new().load_shed().service(Balance::new(empty))).await
    }
    let verdict = (Cause::ConnectionLimitReached, Processed::No);
    check(error, verdict, local_rejection()).await;
}

#[tokio::test(start_paused = true)]
async fn length_limit_answers_413_and_is_not_counted() {
    async fn error() -> BoxError {
        Limited::new(Body::from("too long"), 3).collect().await.unwrap_err()
    }
    let expected = Reaction { status: 413, counts: false, is_retried: false, level: Level::WARN };
    check(error, (Cause::HttpRequestError, Processed::Maybe), expected).await;
}
