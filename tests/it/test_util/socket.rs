//! `FlakyUpstream`: the scripted upstream on a socket.
//!
//! Uses real sockets and the real clock. No test depends on a measured time.

use std::time::Duration;

use http::Method;
use http_body_util::BodyExt;
use seawall::{Cause, Processed, retry::RetryLayer, timeout::TimeoutLayer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::{Layer, ServiceExt};

use super::*;
use crate::support::sockets::{
    channel, empty, eventually, full, hyper_client, read, request as request_to, stack,
};

async fn upstream(script: impl Into<Script>) -> FlakyUpstream {
    FlakyUpstream::start(script).await.unwrap()
}

/// The classifier maps a step of either upstream to the same failure.
#[tokio::test]
async fn socket_and_service_cause_same_failure() {
    for (step, cause) in [
        (Step::close(), Cause::ConnectionTerminated),
        (Step::reset(), Cause::ConnectionTerminated),
        (Step::garbage(), Cause::HttpProtocolError),
        (Step::refuse(), Cause::ConnectionRefused),
        (Step::silent(), Cause::HttpResponseTimeout),
    ] {
        let layer = TimeoutLayer::new(Duration::from_millis(200));
        let service = layer.layer(FlakyService::new(step.clone()).unwrap());
        let in_process = service.oneshot(get()).await.unwrap_err();
        let upstream = match cause {
            Cause::ConnectionRefused => FlakyUpstream::refusing().unwrap(),
            _ => upstream(step).await,
        };
        let call =
            layer.layer(hyper_client()).oneshot(request_to("GET", &upstream.url("/"), empty()));
        let on_socket = classify_error(&*call.await.unwrap_err());
        assert_eq!(classify_error(&*in_process), on_socket, "{cause}");
        let processed =
            if cause == Cause::ConnectionRefused { Processed::No } else { Processed::Maybe };
        assert_eq!((on_socket.cause(), on_socket.processed()), (cause, processed));
    }
}

#[tokio::test]
async fn socket_and_service_return_same_response() {
    let steps = || {
        [
            Step::ok("hello"),
            Step::status(503).retry_after(Duration::from_secs(3)).body("busy"),
            Step::ok("hello").body_delay(Duration::from_millis(1)),
            Step::status(204).body("none"),
            Step::status(304),
            Step::status(999).header("x-a", "1").header("x-a", b"\xff"),
            Step::ok("hello").truncated(),
        ]
    };
    let (service, upstream) = (FlakyService::new(steps()).unwrap(), upstream(steps()).await);
    let client = hyper_client();
    for step in 0..steps().len() {
        let in_process = service.clone().oneshot(get()).await.unwrap();
        let on_socket =
            client.clone().oneshot(request_to("GET", &upstream.url("/"), empty())).await.unwrap();
        assert_eq!(in_process.status(), on_socket.status());
        assert_eq!(in_process.headers(), on_socket.headers(), "{step}");
        let (in_process, on_socket) =
            (in_process.into_body().collect().await, read(on_socket).await);
        match (in_process, on_socket) {
            (Ok(in_process), Ok(on_socket)) => assert_eq!(in_process.to_bytes(), on_socket),
            (Err(in_process), Err(on_socket)) => {
                assert_eq!(classify_body_error(&*in_process), classify_body_error(&on_socket));
            }
            (in_process, on_socket) => panic!("{in_process:?} {on_socket:?}"),
        }
    }
    // Only the last step closes the connection.
    assert_eq!((upstream.requests(), upstream.connections()), (7, 1));
}

#[tokio::test]
async fn retry_repeats_get_but_not_post_after_reset() {
    let upstream =
        upstream(Script::new().times(2, Step::reset()).then_repeat(Step::ok("hello"))).await;
    let url = upstream.url("/pay?x=1");
    stack(hyper_client()).oneshot(request_to("POST", &url, full(b"pay"))).await.unwrap_err();
    let response = stack(hyper_client()).oneshot(request_to("GET", &url, empty())).await.unwrap();
    assert_eq!(read(response).await.unwrap(), "hello");
    let received = upstream.received();
    let methods: Vec<_> = received.iter().map(ReceivedRequest::method).collect();
    assert_eq!(methods, [Method::POST, Method::GET, Method::GET]);
    assert_eq!((received[0].path(), received[0].body()), ("/pay", &b"pay"[..]));
    assert_eq!(received[0].uri(), "/pay?x=1");
    assert_eq!(received[0].header("host"), Some(&*upstream.addr().to_string()));
    assert!(received[0].is_body_complete() && received[0].extensions().is_empty());
}

#[tokio::test]
async fn socket_reads_body_of_any_framing() {
    let upstream = upstream(Step::ok("")).await;
    let client = hyper_client();
    let url = upstream.url("/");
    let (sender, chunked) = channel();
    for _ in 0..100 {
        sender.send(Bytes::from_static(&[7; 1_000])).unwrap();
    }
    drop(sender);
    let large = full(Vec::leak(vec![7; 100_000]));
    for body in [full(b"small"), chunked, large, empty()] {
        let response = client.clone().oneshot(request_to("PUT", &url, body)).await.unwrap();
        read(response).await.unwrap();
    }
    let received = upstream.received();
    let lengths: Vec<_> = received.iter().map(ReceivedRequest::body_len).collect();
    assert_eq!(lengths, [5, 100_000, 100_000, 0]);
    assert_eq!(received[0].body(), b"small");
    assert_eq!(received[1].header("transfer-encoding"), Some("chunked"));
    assert_eq!(received[1].body(), received[2].body());
    assert_eq!(received[1].body(), vec![7; 64 << 10]);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn refusing_socket_accepts_script_and_refuses_again() {
    let mut upstream = FlakyUpstream::refusing().unwrap();
    let addr = upstream.addr();
    let is_refused = async |url: &str| {
        let call = hyper_client().oneshot(request_to("GET", url, empty()));
        classify_error(&call.await.unwrap_err()).cause() == Cause::ConnectionRefused
    };
    let url = upstream.url("/");
    for _ in 0..2 {
        assert!(is_refused(&url).await);
        upstream.set_script(Step::ok("accepted")).await.unwrap();
        let response = hyper_client().oneshot(request_to("GET", &url, empty())).await.unwrap();
        assert_eq!(read(response).await.unwrap(), "accepted");
        upstream.refuse().await;
    }
    upstream.refuse().await;
    assert!(is_refused(&url).await);
    assert_eq!((upstream.addr(), upstream.requests(), upstream.connections()), (addr, 2, 2));
}

#[tokio::test]
async fn socket_follows_new_script_on_open_connections() {
    let mut upstream = upstream(Step::status(502)).await;
    let (client, url) = (hyper_client(), upstream.url("/"));
    for status in [502, 200, 503] {
        upstream.set_script(Step::status(status)).await.unwrap();
        upstream.set_script(Step::status(1)).await.unwrap_err();
        let response = client.clone().oneshot(request_to("GET", &url, empty())).await.unwrap();
        assert_eq!(response.status(), status);
        read(response).await.unwrap();
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn socket_closes_connections_when_dropped_or_refusing() {
    for by_drop in [true, false] {
        let script = [
            Step::silent(),
            Step::ok("").delay(Duration::MAX),
            Step::ok("hello").body_delay(Duration::MAX),
        ];
        let mut upstream = upstream(script).await;
        let mut streams = Vec::new();
        for number in 1..=4 {
            let mut stream = TcpStream::connect(upstream.addr()).await.unwrap();
            // The fourth connection is idle.
            if number < 4 {
                stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                eventually(|| upstream.requests() == number).await;
            } else {
                eventually(|| upstream.connections() == number).await;
            }
            streams.push(stream);
        }
        let addr = upstream.addr();
        if by_drop {
            drop(upstream);
        } else {
            upstream.refuse().await;
        }
        for mut stream in streams {
            let mut rest = String::new();
            // The connection ends with a close or a reset.
            let _ = stream.read_to_string(&mut rest).await;
            assert!(rest.is_empty() || rest.ends_with("\r\n\r\nhe"), "{rest}");
        }
        TcpStream::connect(addr).await.unwrap_err();
    }
}

#[tokio::test]
async fn socket_serves_others_when_client_disconnects() {
    let upstream = upstream([Step::ok(vec![7; 10 << 20]), Step::silent(), Step::ok("hello")]).await;
    for (number, bytes) in [
        (1, &b"GET / HTTP/1.1\r\n\r\n"[..]),
        (2, b"PUT / HTTP/1.1\r\ncontent-length: 9\r\n\r\nstart"),
    ] {
        let mut stream = TcpStream::connect(upstream.addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        eventually(|| upstream.requests() == number).await;
        drop(stream);
    }
    let call = hyper_client().oneshot(request_to("GET", &upstream.url("/"), empty()));
    assert_eq!(read(call.await.unwrap()).await.unwrap(), "hello");
    let partial = &upstream.received()[1];
    assert_eq!((partial.body_len() <= 5, partial.is_body_complete()), (true, false));
}

#[tokio::test]
async fn socket_takes_one_step_per_concurrent_request() {
    let script = Script::new().times(20, Step::status(502)).times(30, Step::ok("hello"));
    let upstream = upstream(script).await;
    let client = hyper_client();
    let url = upstream.url("/");
    let calls = (0..50).map(|_| client.clone().oneshot(request_to("GET", &url, empty())));
    let responses = futures_util::future::join_all(calls).await;
    let failures = responses.iter().filter(|it| it.as_ref().unwrap().status() == 502).count();
    assert_eq!((failures, upstream.requests()), (20, 50));
}

#[tokio::test]
async fn retry_succeeds_when_upstream_is_flaky() {
    let script = Script::random(5, [(Ratio::percent(30), Step::close())], Step::ok("hello"));
    let upstream = upstream(script.unwrap()).await;
    let retry = RetryLayer::new()
        .backoff(seawall::retry::Backoff::none())
        .budget(seawall::retry::Budget::none())
        .max_retries(9);
    let service = retry.layer(hyper_client());
    for _ in 0..100 {
        let call = service.clone().oneshot(request_to("GET", &upstream.url("/"), empty()));
        assert_eq!(read(call.await.unwrap()).await.unwrap(), "hello");
    }
    assert!(upstream.requests() > 120, "{}", upstream.requests());
}
