//! Reused connections that the server closes, and requests that were never written.
//!
//! The tests use real sockets and therefore real time.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Builder, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use scripted_origin::{Origin, Script};
use seawall::{
    BoxError, Cause, Processed, Ratio,
    classify::classify_error,
    find_source,
    hyper_util::TrackReuse,
    retry::{Backoff, Budget, ReplayBody, RetriesExhausted, RetryLayer, RetryReport},
    timeout::TimeoutLayer,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, Service, ServiceExt, service_fn};

type Body = Full<Bytes>;
type HyperClient = Client<TrackReuse<HttpConnector>, ReplayBody<Body>>;

fn client(configure: impl FnOnce(&mut Builder)) -> HyperClient {
    let mut builder = Client::builder(TokioExecutor::new());
    configure(&mut builder);
    builder.build(TrackReuse::new(HttpConnector::new()))
}

fn request(method: &str, origin: &Origin) -> Request<Body> {
    let uri = format!("http://{}/", origin.addr());
    Request::builder().method(method).uri(uri).body(Body::from("hi")).unwrap()
}

/// Sends `request` without a retry.
///
/// Uses `RetryLayer` because only that layer creates the body type of the client.
async fn send_once(client: &HyperClient, request: Request<Body>) -> Result<(), BoxError> {
    let response = RetryLayer::new().max_retries(0).layer(client.clone()).oneshot(request).await?;
    response.into_body().collect().await?;
    Ok(())
}

#[tokio::test]
async fn retry_layer_completes_gets_when_connections_become_stale() {
    let origin = Origin::start(Script::StaleAfter { requests: 9 }).await.unwrap();
    let client = RetryLayer::new().backoff(Backoff::none()).layer(client(|_| {}));
    let mut retried = 0;
    for _ in 0..1_000 {
        let response = client.clone().oneshot(request("GET", &origin)).await.unwrap();
        assert_eq!(response.status(), 200);
        retried += usize::from(response.extensions().get::<RetryReport>().is_some());
        response.into_body().collect().await.unwrap();
    }
    assert!(retried > 50, "expected more than 50 retried calls, found {retried}");
}

#[tokio::test]
async fn retry_layer_does_not_retry_post_on_closed_connection() {
    let origin = Origin::start(Script::StaleAfter { requests: 1 }).await.unwrap();
    let client = client(|_| {});
    let service = RetryLayer::new().layer(client.clone());
    let response = service.clone().oneshot(request("GET", &origin)).await.unwrap();
    response.into_body().collect().await.unwrap();
    let error = service.oneshot(request("POST", &origin)).await.unwrap_err();
    assert!(find_source::<RetriesExhausted>(&*error).is_none());
    let failure = classify_error(&*error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::ConnectionTerminated, Processed::Maybe)
    );
    assert_eq!(origin.requests(), 2);
}

#[tokio::test]
async fn failure_distinguishes_stale_connection_from_server_close() {
    let stale = Origin::start(Script::StaleAfter { requests: 1 }).await.unwrap();
    let client = client(|_| {});
    send_once(&client, request("GET", &stale)).await.unwrap();
    // Moves tokio's clock without waiting.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(5)).await;
    tokio::time::resume();
    let failure = classify_error(&*send_once(&client, request("GET", &stale)).await.unwrap_err());
    assert!(failure.is_stale_connection(), "{failure}");
    let text = failure.to_string();
    assert!(text.starts_with("connection terminated (stale connection, idle 5"), "{text}");
    assert!(text.ends_with("s, detected locally; may have been processed)"), "{text}");
    for script in [Script::ReadClose, Script::TruncatedHead, Script::Reset] {
        let origin = Origin::start(script).await.unwrap();
        let failure =
            classify_error(&*send_once(&client, request("GET", &origin)).await.unwrap_err());
        assert_eq!(failure.cause(), Cause::ConnectionTerminated, "{script:?}");
        assert!(!failure.is_stale_connection(), "{script:?}");
    }
}

#[tokio::test]
async fn tracked_connection_passes_bodies_unchanged() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let client = client(|_| {});
    for size in [0, 1, 1_023, 1_024, 1_025, 100_000] {
        let uri = format!("http://{}/", origin.addr());
        let body = Body::from(vec![7; size]);
        let request = Request::post(uri).body(body).unwrap();
        let response = RetryLayer::new().layer(client.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
        assert_eq!(origin.received().last().unwrap().body.len(), size);
    }
    assert_eq!(origin.connections(), 1);
}

/// Each attempt opens a raw connection. The first connections close before the request is written.
#[tokio::test]
async fn retry_layer_retries_unwritten_request_once_without_budget() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let connections_to_close = Arc::new(Mutex::new(1));
    let addr = origin.addr();
    let service = {
        let connections_to_close = Arc::clone(&connections_to_close);
        service_fn(move |request: Request<ReplayBody<Body>>| {
            let connections_to_close = Arc::clone(&connections_to_close);
            async move {
                let stream = TokioIo::new(tokio::net::TcpStream::connect(addr).await?);
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(stream).await?;
                let must_close = {
                    let mut remaining = connections_to_close.lock().unwrap();
                    *remaining -= 1;
                    *remaining >= 0
                };
                if must_close {
                    // The request is queued, and the connection ends before it is written.
                    let response = sender.send_request(request);
                    drop(connection);
                    return Ok::<_, BoxError>(response.await?);
                }
                tokio::spawn(connection);
                Ok(sender.send_request(request).await?)
            }
        })
    };
    // Neither the budget nor the method allows a retry.
    let empty_budget = Budget::new(Ratio::percent(0), 0);
    let service = RetryLayer::new().budget(empty_budget).layer(service);
    let response = service.clone().oneshot(request("POST", &origin)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.extensions().get::<RetryReport>().unwrap().attempts().get(), 2);
    assert_eq!(origin.requests(), 1);

    *connections_to_close.lock().unwrap() = 2;
    let error = service.oneshot(request("POST", &origin)).await.unwrap_err();
    assert_eq!(find_source::<RetriesExhausted>(&*error).unwrap().attempts().get(), 2);
    assert_eq!(classify_error(&*error).processed(), Processed::No);
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn retry_layer_retries_stale_connections_without_hyper_util_retries() {
    let origin = Origin::start(Script::StaleAfter { requests: 9 }).await.unwrap();
    let client = client(|builder| {
        builder.retry_canceled_requests(false);
    });
    let mut service =
        RetryLayer::new().layer(TimeoutLayer::new(Duration::from_secs(10)).layer(client));
    for _ in 0..200 {
        let response = service.ready().await.unwrap().call(request("GET", &origin)).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
    }
}

#[tokio::test]
async fn retried_calls_reuse_connection_when_bodies_are_small() {
    let origin = Origin::start(Script::Flaky { every: 2 }).await.unwrap();
    let service = RetryLayer::new().budget(Budget::none()).layer(client(|_| {}));
    for _ in 0..100 {
        let response = service.clone().oneshot(request("GET", &origin)).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
    }
    assert!(origin.requests() >= 199);
    assert!(
        origin.connections() <= 2,
        "expected at most 2 connections, found {}",
        origin.connections()
    );
}

/// An executor that spawns the tasks of connections and can abort them.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<tokio::task::AbortHandle>>>);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.lock().unwrap().push(tokio::spawn(task).abort_handle());
    }
}

/// Queues a POST for a pooled connection, ends that connection and returns the number of attempts.
///
/// The client itself does not retry.
async fn post_unwritten<C>(connector: C, budget: Budget) -> Result<u32, BoxError>
where
    C: hyper_util::client::legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let tasks = Tasks::default();
    let client = Client::builder(tasks.clone())
        .retry_canceled_requests(false)
        .build::<_, ReplayBody<Body>>(connector);
    let service = RetryLayer::new().budget(budget).layer(client);
    let first = service.clone().oneshot(request("POST", &origin)).await?;
    first.into_body().collect().await?;
    let mut second = tokio_test::task::spawn(service.oneshot(request("POST", &origin)));
    tokio_test::assert_pending!(second.poll());
    for task in tasks.0.lock().unwrap().drain(..) {
        task.abort();
    }
    let response = second.await?;
    assert_eq!(origin.requests(), 2);
    Ok(response.extensions().get::<RetryReport>().unwrap().attempts().get())
}

#[tokio::test]
async fn unwritten_request_on_tracked_connection_uses_no_budget() {
    let empty_budget = || Budget::new(Ratio::percent(0), 0);
    let tracked = TrackReuse::new(HttpConnector::new());
    assert_eq!(post_unwritten(tracked, empty_budget()).await.unwrap(), 2);
    // A retry on an untracked connection uses the budget.
    let error = post_unwritten(HttpConnector::new(), empty_budget()).await.unwrap_err();
    assert_eq!(classify_error(&*error).processed(), Processed::No);
    assert_eq!(post_unwritten(HttpConnector::new(), Budget::default()).await.unwrap(), 2);
}

#[tokio::test]
async fn retry_layer_opens_few_connections_when_origin_closes_on_accept() {
    for tracked in [true, false] {
        let origin = Origin::start(Script::AcceptClose).await.unwrap();
        let layer = RetryLayer::new().backoff(Backoff::none());
        for _ in 0..200 {
            // Creates a client per call, because a pool may reuse a connection of an earlier call.
            let request = request("POST", &origin);
            let result = if tracked {
                layer.layer(client(|_| {})).oneshot(request).await
            } else {
                let client = Client::builder(TokioExecutor::new()).build_http();
                layer.layer(client).oneshot(request).await
            };
            result.unwrap_err();
        }
        let connections = origin.connections();
        assert!(
            connections <= 240,
            "expected at most 240 connections for 200 calls, found {connections}"
        );
    }
}

#[tokio::test]
async fn fresh_http2_connection_is_not_stale() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // Sends its SETTINGS and closes at the first request.
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let first = connection.accept().await;
                drop((first, connection));
            });
        }
    });
    let client = client(|builder| {
        builder.http2_only(true);
    });
    let request = Request::get(format!("http://{addr}/")).body(Body::default()).unwrap();
    let error = send_once(&client, request).await.unwrap_err();
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::ConnectionTerminated);
    assert!(!failure.is_stale_connection());
}
