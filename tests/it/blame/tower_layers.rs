//! Rejections and time limits of the layers of tower and tower-http inside the stack.
//!
//! They are compared with the table in `docs/blame.md`, row by row.

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
use http_body::Frame;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use seawall::{BoxError, Cause, Detail, Processed, classify::classify_error};
use tower::{
    Service, ServiceBuilder, ServiceExt, balance::p2c::Balance, buffer::Buffer, discover::Change,
    load::Constant, service_fn, util::BoxService,
};
use tower_http::{
    limit::RequestBodyLimitLayer,
    timeout::{TimeoutBody, TimeoutLayer},
};
use tracing::Level;

use super::{Body, Reaction, documented, failing, reaction_to, request, yes_or_no};

type Inner = BoxService<(), (), BoxError>;

fn ready_service() -> Inner {
    BoxService::new(service_fn(async |()| Ok(())))
}

const LIMITED: &str = "`load_shed`, around `concurrency_limit` or `rate_limit`";
const BUFFER: &str = "`buffer` whose worker has ended, or whose service failed to become ready";
const BODY_LIMIT: &str =
    "`http_body_util::Limited` and tower-http's `RequestBodyLimitLayer` around the request's body";

fn local_rejection() -> Reaction {
    Reaction { status: 503, counts: false, is_retried: false, level: Level::DEBUG }
}

fn time_limit() -> Reaction {
    Reaction { status: 504, counts: true, is_retried: true, level: Level::WARN }
}

/// Checks the failure of an error, the reaction to it, and the row that starts with `cell`.
async fn check<F>(
    cell: &str,
    make: fn() -> F,
    (cause, processed): (Cause, Processed),
    expected: Reaction,
) where
    F: Future<Output = BoxError> + 'static,
{
    let failure = classify_error(&*make().await);
    assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{failure}");
    let fail = failing(move || async move { Err(make().await) });
    let reaction = reaction_to(&fail).await;
    assert_eq!(reaction, expected, "{failure}");
    assert_eq!(documented(cell), row(&format!("`{cause}`"), reaction), "{cell}");
}

/// Returns the cells of a row after the first one.
fn row(cause: &str, reaction: Reaction) -> String {
    let (counts, is_retried) = (yes_or_no(reaction.counts), yes_or_no(reaction.is_retried));
    format!("{cause} | {} | {counts} | {is_retried} |", reaction.status)
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
    check(LIMITED, error, verdict, local_rejection()).await;
}

#[tokio::test(start_paused = true)]
async fn overloaded_of_rate_limit_is_rejection() {
    async fn error() -> BoxError {
        let service = ServiceBuilder::new().load_shed().rate_limit(1, Duration::from_secs(9));
        call_twice(service.service(ready_service())).await
    }
    let verdict = (Cause::ConnectionLimitReached, Processed::No);
    check(LIMITED, error, verdict, local_rejection()).await;
}

#[tokio::test(start_paused = true)]
async fn closed_buffer_is_rejection() {
    async fn error() -> BoxError {
        let (service, worker) = Buffer::<(), _>::pair(ready_service(), 1);
        drop(worker);
        call_twice(service).await
    }
    let expected = Reaction { level: Level::WARN, ..local_rejection() };
    check(BUFFER, error, (Cause::ProxyInternalError, Processed::No), expected).await;
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
    check(BUFFER, error, (Cause::ProxyInternalError, Processed::No), expected).await;
}

#[tokio::test(start_paused = true)]
async fn timeout_of_tower_counts_like_ours() {
    async fn error() -> BoxError {
        let service = ServiceBuilder::new().timeout(Duration::from_secs(1));
        let silent = service_fn(async |()| pending::<Result<(), BoxError>>().await);
        service.service(silent).oneshot(()).await.unwrap_err()
    }
    check("`timeout`", error, (Cause::HttpResponseTimeout, Processed::Maybe), time_limit()).await;
}

#[tokio::test(start_paused = true)]
async fn body_timeout_of_tower_http_counts_like_ours() {
    async fn error() -> BoxError {
        let frames = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let body = StreamBody::new(frames);
        TimeoutBody::new(Duration::from_secs(1), body).collect().await.unwrap_err()
    }
    check(
        "tower-http's `TimeoutBody` in the error of a call",
        error,
        (Cause::HttpResponseTimeout, Processed::Maybe),
        time_limit(),
    )
    .await;
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
    let causes = "by its status: `gateway_timeout`, or `http_response_timeout` for 408";
    let expected = format!("{causes} | its own | yes | yes |");
    assert_eq!(documented("tower-http's `TimeoutLayer`"), expected);
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
    let row = row("`rate_limited`, as it responds with 429", expected);
    assert_eq!(documented("tower_governor"), row);
}

type Endpoint = Constant<Inner, u8>;

#[tokio::test(start_paused = true)]
async fn failed_discovery_of_balancer_is_unavailable_and_not_counted() {
    async fn error() -> BoxError {
        let failed = stream::iter(iter::once(Err::<Change<u8, Endpoint>, BoxError>("gone".into())));
        call_twice(Balance::new(failed)).await
    }
    let expected = Reaction { is_retried: true, level: Level::WARN, ..local_rejection() };
    check(
        "`balance` whose discovery failed",
        error,
        (Cause::DestinationUnavailable, Processed::No),
        expected,
    )
    .await;
}

/// A balancer without endpoints is not ready, so `load_shed` rejects the call.
#[tokio::test(start_paused = true)]
async fn overloaded_of_empty_balancer_is_rejection() {
    async fn error() -> BoxError {
        let empty = stream::pending::<Result<Change<u8, Endpoint>, BoxError>>();
        call_twice(ServiceBuilder::new().load_shed().service(Balance::new(empty))).await
    }
    let verdict = (Cause::ConnectionLimitReached, Processed::No);
    check("`load_shed` around a `balance` without endpoints", error, verdict, local_rejection())
        .await;
}

async fn read_body<B>(request: Request<B>) -> Result<Response<Body>, BoxError>
where
    B: http_body::Body<Error: Into<BoxError>>,
{
    request.into_body().collect().await.map_err(Into::into)?;
    Ok(Response::new(Body::default()))
}

#[tokio::test(start_paused = true)]
async fn length_limit_answers_413_and_is_not_counted() {
    async fn limited() -> BoxError {
        Limited::new(Body::from("too long"), 3).collect().await.unwrap_err()
    }
    async fn limited_by_tower_http() -> BoxError {
        // Its size is unknown, so that the limit applies only while the service reads it.
        let frame = Frame::data(Bytes::from_static(b"too long"));
        let body = StreamBody::new(stream::iter([Ok::<_, Infallible>(frame)]));
        let limit = ServiceBuilder::new().layer(RequestBodyLimitLayer::new(3));
        let service = limit.service_fn(read_body);
        service.oneshot(Request::new(body)).await.map(drop).unwrap_err()
    }
    let verdict = (Cause::HttpRequestError, Processed::Maybe);
    let expected = Reaction { status: 413, counts: false, is_retried: false, level: Level::WARN };
    check(BODY_LIMIT, limited, verdict, expected).await;
    check(BODY_LIMIT, limited_by_tower_http, verdict, expected).await;
}
