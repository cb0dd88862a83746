//! HTTP/2: where the protocol itself says whether a request was processed.
//!
//! Real sockets, so real time.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::{Reason, server};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BoxError, Cause, Processed,
    body_timeout::BodyTimeoutLayer,
    classify::classify_error,
    find_source,
    retry::{Backoff, RetriesExhausted, RetryLayer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Layer, ServiceExt};

use crate::support::sockets::{channel, request};

type Body = Full<Bytes>;

/// What an origin does with its first request; it answers all others.
#[derive(Clone, Copy)]
enum First {
    Reset(Reason),
    /// Answers it by a GOAWAY that says no stream was or will be processed.
    GoAway,
    /// Never answers it.
    Hang,
    /// Ends the connection for an error.
    Abort(Reason),
}

struct Origin {
    addr: SocketAddr,
    requests: Arc<AtomicUsize>,
}

async fn origin(first: First) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut first = Some(first);
        while let Ok((stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            if let Some(First::GoAway) = first {
                first = None;
                tokio::spawn(go_away(stream, count));
            } else {
                tokio::spawn(serve(stream, first, count));
            }
        }
    });
    Origin { addr, requests }
}

/// Errors end the connection: they are made on purpose here, or the client is gone.
async fn serve(stream: TcpStream, first: Option<First>, count: Arc<AtomicUsize>) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    let mut unanswered = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let before = count.fetch_add(1, Ordering::Relaxed);
        match first.filter(|_| before == 0) {
            Some(First::Reset(reason)) => respond.send_reset(reason),
            Some(First::Hang) => unanswered.push((request, respond)),
            Some(First::Abort(reason)) => connection.abrupt_shutdown(reason),
            Some(First::GoAway) | None => {
                let _ = respond.send_response(Response::new(()), true);
            }
        }
    }
}

/// Frame by frame, since no server library refuses a stream in this way: RFC 9113 §6.5 and §6.8.
async fn go_away(mut stream: TcpStream, count: Arc<AtomicUsize>) -> io::Result<()> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const LAST_STREAM_0_NO_ERROR: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const HEADERS: u8 = 1;
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&SETTINGS).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize]).await?;
        if head[3] == HEADERS {
            count.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&LAST_STREAM_0_NO_ERROR).await?;
        }
    }
}

async fn send(
    method: &str,
    origin: &Origin,
    layer: RetryLayer,
) -> Result<Response<Incoming>, BoxError> {
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let uri = format!("http://{}/", origin.addr);
    let request = Request::builder().method(method).uri(uri).body(Body::from("hi")).unwrap();
    layer.layer(client).oneshot(request).await
}

fn eager() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

/// One POST and one GET, each to an origin that fails first; gives how many requests each took.
async fn post_and_get(first: First) -> [usize; 2] {
    let mut taken = [0; 2];
    for (method, taken) in ["POST", "GET"].into_iter().zip(&mut taken) {
        let origin = origin(first).await;
        let result = send(method, &origin, eager()).await;
        *taken = origin.requests.load(Ordering::Relaxed);
        assert_eq!(result.is_ok(), *taken == 2, "{method}: {result:?}");
    }
    taken
}

async fn processed(first: First) -> (Cause, Processed) {
    let error = send("POST", &origin(first).await, eager().max_retries(0)).await.unwrap_err();
    assert!(find_source::<RetriesExhausted>(&*error).is_none());
    let failure = classify_error(&*error);
    (failure.cause(), failure.processed())
}

#[tokio::test]
async fn a_refused_stream_is_not_processed_and_a_post_is_sent_again() {
    let refused = First::Reset(Reason::REFUSED_STREAM);
    assert_eq!(processed(refused).await, (Cause::ConnectionTerminated, Processed::No));
    assert_eq!(post_and_get(refused).await, [2, 2]);
}

#[tokio::test]
async fn a_stream_above_the_last_of_a_goaway_is_not_processed_and_sent_again_elsewhere() {
    assert_eq!(processed(First::GoAway).await, (Cause::ConnectionTerminated, Processed::No));
    assert_eq!(post_and_get(First::GoAway).await, [2, 2]);
}

#[tokio::test]
async fn http2_s_own_error_stays_in_the_chain() {
    let origin = origin(First::Reset(Reason::INTERNAL_ERROR)).await;
    let error = send("POST", &origin, eager()).await.unwrap_err();
    let reason = find_source::<h2::Error>(&*error).unwrap().reason();
    assert_eq!(reason, Some(Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn a_stream_reset_for_another_reason_may_have_been_processed() {
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::ENHANCE_YOUR_CALM] {
        let reset = First::Reset(reason);
        assert_eq!(processed(reset).await, (Cause::ConnectionTerminated, Processed::Maybe));
        assert_eq!(post_and_get(reset).await, [1, 2], "{reason:?}");
    }
}

/// hyper's client resets the stream, and keeps the body's error to itself.
#[tokio::test]
async fn a_request_whose_own_body_fails_is_no_failure_of_the_upstream() {
    let origin = origin(First::Hang).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let service = BodyTimeoutLayer::for_requests().idle(Duration::from_millis(50)).layer(client);
    let (sender, body) = channel();
    sender.send("x".into()).unwrap();
    let error = service.oneshot(request("POST", &format!("http://{}/", origin.addr), body)).await;
    let failure = classify_error(&error.unwrap_err());
    assert_eq!((failure.cause(), failure.processed()), (Cause::HttpRequestError, Processed::Maybe));
    assert_eq!(origin.requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_ended_for_an_error_may_have_been_processed() {
    let abort = First::Abort(Reason::INTERNAL_ERROR);
    assert_eq!(processed(abort).await.1, Processed::Maybe);
    assert_eq!(post_and_get(abort).await, [1, 2]);
}
