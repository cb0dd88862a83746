//! The number and content of requests that reach the origin.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header::RETRY_AFTER};
use hyper::body::Incoming;
use scripted_origin::{Origin, Received, Script};
use seawall::{
    retry::{Budget, RetryLayer, RetryReport, StopReason},
    test_util::{FlakyUpstream, Step},
};
use tower::{Layer, ServiceExt};

use crate::support::sockets::{
    Body, channel, empty, eventually, full, hyper_client, origin, read, request, stack, url,
};

async fn send(method: &str, origin: &Origin, body: Body) -> Response<Incoming> {
    let request = request(method, &url(origin), body);
    stack(hyper_client()).oneshot(request).await.unwrap()
}

fn attempts_and_reason<B>(response: &Response<B>) -> (u32, Option<StopReason>) {
    let report = response.extensions().get::<RetryReport>().unwrap();
    (report.attempts().get(), report.stop_reason())
}

/// Sends a body to a failing origin and returns the request of each attempt.
async fn received_attempts(make_body: impl FnOnce() -> Body) -> Vec<Received> {
    let origin = origin(Script::Status(502)).await;
    let response = send("PUT", &origin, make_body()).await;
    assert_eq!(attempts_and_reason(&response), (5, Some(StopReason::MaxRetries)));
    let received = origin.received();
    assert_eq!(received.len(), 5);
    for attempt in &received {
        assert_eq!(attempt, &received[0]);
    }
    received
}

#[tokio::test]
async fn retry_layer_sends_get_five_times_when_origin_returns_502() {
    let origin = origin(Script::Status(502)).await;
    let service = RetryLayer::new().budget(Budget::none()).layer(hyper_client());
    let response = service.oneshot(request("GET", &url(&origin), empty()));
    let response = response.await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(attempts_and_reason(&response), (5, Some(StopReason::MaxRetries)));
    assert_eq!(read(response).await.unwrap(), "failed on purpose");
    assert_eq!(origin.requests(), 5);
}

#[tokio::test]
async fn retry_layer_sends_post_once_when_origin_returns_502() {
    let origin = origin(Script::Status(502)).await;
    let response = send("POST", &origin, full(b"pay")).await;
    assert_eq!(response.status(), 502);
    assert_eq!(attempts_and_reason(&response), (1, Some(StopReason::MethodNotAllowed)));
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn retry_layer_retries_post_with_idempotency_key() {
    let origin = origin(Script::Status(502)).await;
    let mut request = request("POST", &url(&origin), full(b"pay"));
    let key = "8e03978e-40d5-43dd-bc93-6894a57f9324".parse().unwrap();
    request.headers_mut().insert("idempotency-key", key);
    stack(hyper_client()).oneshot(request).await.unwrap();
    let received = origin.received();
    assert_eq!(received.len(), 5);
    assert!(received.iter().all(|attempt| attempt.body == b"pay"));
}

#[tokio::test]
async fn success_has_no_retry_report() {
    let origin = origin(Script::Healthy).await;
    let response = send("GET", &origin, empty()).await;
    assert!(response.extensions().get::<RetryReport>().is_none());
    assert_eq!(read(response).await.unwrap(), "ok");
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn each_attempt_sends_no_body_when_request_has_none() {
    let received = received_attempts(empty).await;
    assert!(received[0].body.is_empty());
    assert!(!received[0].head.contains("transfer-encoding"));
}

#[tokio::test]
async fn each_attempt_sends_complete_small_body() {
    let received = received_attempts(|| full(b"a small body")).await;
    assert_eq!(received[0].body, b"a small body");
    assert!(received[0].head.contains("content-length: 12\r\n"));
}

#[tokio::test]
async fn each_attempt_sends_same_bytes_of_stream() {
    let received = received_attempts(|| {
        let (sender, body) = channel();
        tokio::spawn(async move {
            for part in ["one, ", "two, ", "three"] {
                sender.send(Bytes::from(part)).unwrap();
                tokio::task::yield_now().await;
            }
        });
        body
    })
    .await;
    assert_eq!(received[0].body, b"one, two, three");
}

#[tokio::test]
async fn retry_layer_sends_stream_above_replay_limit_once() {
    let origin = origin(Script::Status(502)).await;
    let (sender, body) = channel();
    for _ in 0..100 {
        sender.send(Bytes::from_static(&[7; 1_000])).unwrap();
    }
    drop(sender);
    let response = send("PUT", &origin, body).await;
    assert_eq!(attempts_and_reason(&response), (1, Some(StopReason::NotReplayable)));
    assert_eq!(origin.received()[0].body, vec![7; 100_000]);
    assert_eq!(origin.requests(), 1);
}

/// The origin responds before it reads the body. Each attempt sends the body from its start.
#[tokio::test]
async fn attempt_after_early_response_sends_body_from_start() {
    let origin = origin(Script::EarlyStatus(503)).await;
    let (sender, body) = channel();
    sender.send(Bytes::from("start, ")).unwrap();
    let end = async {
        eventually(|| origin.requests() == 5).await;
        sender.send(Bytes::from("end")).unwrap();
        drop(sender);
    };
    let (response, ()) = tokio::join!(send("PUT", &origin, body), end);
    assert_eq!(attempts_and_reason(&response), (5, Some(StopReason::MaxRetries)));
    eventually(|| origin.received().len() == 1).await;
    assert_eq!(origin.received()[0].body, b"start, end");
    // A connection with an aborted request body cannot be reused.
    assert_eq!(origin.connections(), 5);
}

#[tokio::test]
async fn early_response_does_not_truncate_request_body_without_retry() {
    let origin = origin(Script::EarlyStatus(502)).await;
    let (sender, body) = channel();
    sender.send(Bytes::from("start, ")).unwrap();
    let response = send("POST", &origin, body).await;
    assert_eq!(attempts_and_reason(&response), (1, Some(StopReason::MethodNotAllowed)));
    sender.send(Bytes::from("end")).unwrap();
    drop(sender);
    eventually(|| origin.received().len() == 1).await;
    assert_eq!(origin.received()[0].body, b"start, end");
}

#[tokio::test]
async fn retry_reuses_connection_of_failed_response() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let service = stack(hyper_client());
    for _ in 0..5 {
        let call = service.clone().oneshot(request("GET", &url(&origin), empty()));
        let response = call.await.unwrap();
        assert_eq!(response.status(), 200);
        read(response).await.unwrap();
    }
    // The first call gets 200. Each later call gets 502 and then 200.
    assert_eq!(origin.requests(), 9);
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn retry_waits_for_retry_after() {
    let busy = Step::status(503).retry_after(Duration::from_secs(1));
    let upstream = FlakyUpstream::start([busy, Step::ok("")]).await.unwrap();
    let request = request("GET", &upstream.url("/"), empty());
    let response = stack(hyper_client()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key(RETRY_AFTER));
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.attempts().get(), 2);
    assert!(report.elapsed().as_secs() >= 1);
}

#[tokio::test]
async fn concurrent_calls_keep_their_own_bodies() {
    let origin = origin(Script::Status(502)).await;
    let service = stack(hyper_client());
    let calls = (0_u8..32).map(|n| {
        let (sender, body) = channel();
        let part = Bytes::from(vec![n; 1_000]);
        sender.send(part.clone()).unwrap();
        sender.send(part).unwrap();
        let request: Request<Body> = request("PUT", &url(&origin), body);
        tokio::spawn(service.clone().oneshot(request))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(attempts_and_reason(&call.await.unwrap().unwrap()).0, 5);
    }
    let mut counts = [0_u32; 32];
    for received in origin.received() {
        let n = received.body[0];
        assert_eq!(received.body, [n; 2_000]);
        counts[usize::from(n)] += 1;
    }
    assert_eq!(counts, [5; 32]);
}
