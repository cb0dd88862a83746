//! How often the origin is asked, and for what.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header::RETRY_AFTER};
use hyper::body::Incoming;
use scripted_origin::{Origin, Received, Script};
use seawall::{
    RetryLayer,
    retry::{Budget, RetryReport, StopReason},
    test_util::{FlakyUpstream, Step},
};
use tower::{Layer, ServiceExt};

use crate::support::sockets::{
    Body, channel, empty, eventually, full, hyper, origin, read, request, stack, url,
};

async fn send(method: &str, origin: &Origin, body: Body) -> Response<Incoming> {
    let request = request(method, &url(origin), body);
    stack(hyper()).oneshot(request).await.unwrap()
}

fn attempts<B>(response: &Response<B>) -> (u32, Option<StopReason>) {
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    (attempts.count().get(), attempts.stop_reason())
}

/// Sends the body that `body` makes, to be met by failures, and returns what each attempt brought.
async fn every_attempt(body: impl FnOnce() -> Body) -> Vec<Received> {
    let origin = origin(Script::Status(502)).await;
    let response = send("PUT", &origin, body()).await;
    assert_eq!(attempts(&response), (5, Some(StopReason::MaxRetries)));
    let received = origin.received();
    assert_eq!(received.len(), 5);
    for again in &received {
        assert_eq!(again, &received[0]);
    }
    received
}

#[tokio::test]
async fn by_default_a_get_that_meets_502_is_sent_five_times() {
    let origin = origin(Script::Status(502)).await;
    let service = RetryLayer::new().budget(Budget::none()).layer(hyper());
    let response = service.oneshot(request("GET", &url(&origin), empty()));
    let response = response.await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(attempts(&response), (5, Some(StopReason::MaxRetries)));
    assert_eq!(read(response).await.unwrap(), "failed on purpose");
    assert_eq!(origin.requests(), 5);
}

#[tokio::test]
async fn a_post_that_meets_502_is_sent_once() {
    let origin = origin(Script::Status(502)).await;
    let response = send("POST", &origin, full(b"pay")).await;
    assert_eq!(response.status(), 502);
    assert_eq!(attempts(&response), (1, Some(StopReason::MethodNotAllowed)));
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn a_post_with_an_idempotency_key_that_meets_502_is_sent_five_times() {
    let origin = origin(Script::Status(502)).await;
    let mut request = request("POST", &url(&origin), full(b"pay"));
    let key = "8e03978e-40d5-43dd-bc93-6894a57f9324".parse().unwrap();
    request.headers_mut().insert("idempotency-key", key);
    stack(hyper()).oneshot(request).await.unwrap();
    let received = origin.received();
    assert_eq!(received.len(), 5);
    assert!(received.iter().all(|again| again.body == b"pay"));
}

#[tokio::test]
async fn a_success_is_asked_for_once_and_leaves_nothing_behind() {
    let origin = origin(Script::Healthy).await;
    let response = send("GET", &origin, empty()).await;
    assert!(response.extensions().get::<RetryReport>().is_none());
    assert_eq!(read(response).await.unwrap(), "ok");
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn every_attempt_sends_no_body_where_there_is_none() {
    let received = every_attempt(empty).await;
    assert!(received[0].body.is_empty());
    assert!(!received[0].head.contains("transfer-encoding"));
}

#[tokio::test]
async fn every_attempt_sends_a_small_body_whole() {
    let received = every_attempt(|| full(b"a small body")).await;
    assert_eq!(received[0].body, b"a small body");
    assert!(received[0].head.contains("content-length: 12\r\n"));
}

#[tokio::test]
async fn every_attempt_sends_the_same_bytes_of_a_stream() {
    let received = every_attempt(|| {
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
async fn a_stream_longer_than_the_limit_is_sent_once_and_whole() {
    let origin = origin(Script::Status(502)).await;
    let (sender, body) = channel();
    for _ in 0..100 {
        sender.send(Bytes::from_static(&[7; 1_000])).unwrap();
    }
    drop(sender);
    let response = send("PUT", &origin, body).await;
    assert_eq!(attempts(&response), (1, Some(StopReason::NotReplayable)));
    assert_eq!(origin.received()[0].body, vec![7; 100_000]);
    assert_eq!(origin.requests(), 1);
}

/// Each attempt is answered while the body is still to come, so the next one takes it over from the beginning.
#[tokio::test]
async fn an_attempt_that_follows_an_early_answer_sends_the_body_from_its_beginning() {
    let origin = origin(Script::EarlyStatus(503)).await;
    let (sender, body) = channel();
    sender.send(Bytes::from("begun, ")).unwrap();
    let end = async {
        eventually(|| origin.requests() == 5).await;
        sender.send(Bytes::from("ended")).unwrap();
        drop(sender);
    };
    let (response, ()) = tokio::join!(send("PUT", &origin, body), end);
    assert_eq!(attempts(&response), (5, Some(StopReason::MaxRetries)));
    eventually(|| origin.received().len() == 1).await;
    assert_eq!(origin.received()[0].body, b"begun, ended");
    // A connection whose body was taken over cannot be used again.
    assert_eq!(origin.connections(), 5);
}

#[tokio::test]
async fn an_early_answer_that_is_final_does_not_cut_the_body_off() {
    let origin = origin(Script::EarlyStatus(502)).await;
    let (sender, body) = channel();
    sender.send(Bytes::from("begun, ")).unwrap();
    let response = send("POST", &origin, body).await;
    assert_eq!(attempts(&response), (1, Some(StopReason::MethodNotAllowed)));
    sender.send(Bytes::from("ended")).unwrap();
    drop(sender);
    eventually(|| origin.received().len() == 1).await;
    assert_eq!(origin.received()[0].body, b"begun, ended");
}

#[tokio::test]
async fn a_retry_uses_the_connection_of_the_failed_response() {
    let origin = origin(Script::Flaky { every: 2 }).await;
    let service = stack(hyper());
    for _ in 0..5 {
        let call = service.clone().oneshot(request("GET", &url(&origin), empty()));
        let response = call.await.unwrap();
        assert_eq!(response.status(), 200);
        read(response).await.unwrap();
    }
    // The first is answered 200, each of the others 502 and then 200.
    assert_eq!(origin.requests(), 9);
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn retry_after_is_waited_out() {
    let busy = Step::status(503).retry_after(Duration::from_secs(1));
    let upstream = FlakyUpstream::start([busy, Step::ok("")]).await.unwrap();
    let request = request("GET", &upstream.url("/"), empty());
    let response = stack(hyper()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key(RETRY_AFTER));
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(attempts.count().get(), 2);
    assert!(attempts.elapsed().as_secs() >= 1);
}

#[tokio::test]
async fn concurrent_calls_do_not_mix_up_their_bodies() {
    let origin = origin(Script::Status(502)).await;
    let service = stack(hyper());
    let calls = (0_u8..32).map(|n| {
        let (sender, body) = channel();
        let part = Bytes::from(vec![n; 1_000]);
        sender.send(part.clone()).unwrap();
        sender.send(part).unwrap();
        let request: Request<Body> = request("PUT", &url(&origin), body);
        tokio::spawn(service.clone().oneshot(request))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(attempts(&call.await.unwrap().unwrap()).0, 5);
    }
    let mut seen = [0_u32; 32];
    for received in origin.received() {
        let n = received.body[0];
        assert_eq!(received.body, [n; 2_000]);
        seen[usize::from(n)] += 1;
    }
    assert_eq!(seen, [5; 32]);
}
