//! HTTP/2, whose protocol can prove that a request was not processed.
//!
//! The tests use real sockets and therefore real time.

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

/// The reaction of an origin to its first request. It responds to all others.
#[derive(Clone, Copy)]
enum FirstRequest {
    Reset(Reason),
    /// Sends a GOAWAY whose last stream ID is 0, so no stream was or will be processed.
    GoAway,
    /// Never responds.
    Hang,
    /// Ends the connection with an error.
    Abort(Reason),
}

struct Origin {
    addr: SocketAddr,
    requests: Arc<AtomicUsize>,
}

async fn origin(first: FirstRequest) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut first = Some(first);
        while let Ok((stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            if let Some(FirstRequest::GoAway) = first {
                first = None;
                tokio::spawn(go_away(stream, count));
            } else {
                tokio::spawn(serve(stream, first, count));
            }
        }
    });
    Origin { addr, requests }
}

/// Ends on any error, which is either intended or means that the client is gone.
async fn serve(stream: TcpStream, first: Option<FirstRequest>, count: Arc<AtomicUsize>) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    let mut pending = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let number = count.fetch_add(1, Ordering::Relaxed);
        match first.filter(|_| number == 0) {
            Some(FirstRequest::Reset(reason)) => respond.send_reset(reason),
            Some(FirstRequest::Hang) => pending.push((request, respond)),
            Some(FirstRequest::Abort(reason)) => connection.abrupt_shutdown(reason),
            Some(FirstRequest::GoAway) | None => {
                let _ = respond.send_response(Response::new(()), true);
            }
        }
    }
}

/// Writes raw frames (RFC 9113 §6.5 and §6.8), because no server library sends such a GOAWAY.
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

fn without_backoff() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

/// Returns the number of requests of a POST and of a GET, each to a new origin.
async fn requests_of_post_and_get(first: FirstRequest) -> [usize; 2] {
    let mut counts = [0; 2];
    for (method, count) in ["POST", "GET"].into_iter().zip(&mut counts) {
        let origin = origin(first).await;
        let result = send(method, &origin, without_backoff()).await;
        *count = origin.requests.load(Ordering::Relaxed);
        assert_eq!(result.is_ok(), *count == 2, "{method}: {result:?}");
    }
    counts
}

async fn cause_and_processed(first: FirstRequest) -> (Cause, Processed) {
    let error =
        send("POST", &origin(first).await, without_backoff().max_retries(0)).await.unwrap_err();
    assert!(find_source::<RetriesExhausted>(&*error).is_none());
    let failure = classify_error(&*error);
    (failure.cause(), failure.processed())
}

#[tokio::test]
async fn retry_layer_sends_post_again_when_stream_is_refused() {
    let refused = FirstRequest::Reset(Reason::REFUSED_STREAM);
    assert_eq!(cause_and_processed(refused).await, (Cause::ConnectionTerminated, Processed::No));
    assert_eq!(requests_of_post_and_get(refused).await, [2, 2]);
}

#[tokio::test]
async fn retry_layer_sends_post_again_when_goaway_excludes_stream() {
    assert_eq!(
        cause_and_processed(FirstRequest::GoAway).await,
        (Cause::ConnectionTerminated, Processed::No)
    );
    assert_eq!(requests_of_post_and_get(FirstRequest::GoAway).await, [2, 2]);
}

#[tokio::test]
async fn error_keeps_h2_error_as_source() {
    let origin = origin(FirstRequest::Reset(Reason::INTERNAL_ERROR)).await;
    let error = send("POST", &origin, without_backoff()).await.unwrap_err();
    let reason = find_source::<h2::Error>(&*error).unwrap().reason();
    assert_eq!(reason, Some(Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn retry_layer_does_not_retry_post_when_stream_is_reset() {
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::ENHANCE_YOUR_CALM] {
        let reset = FirstRequest::Reset(reason);
        assert_eq!(
            cause_and_processed(reset).await,
            (Cause::ConnectionTerminated, Processed::Maybe)
        );
        assert_eq!(requests_of_post_and_get(reset).await, [1, 2], "{reason:?}");
    }
}

/// hyper's client resets the stream and drops the error of the body.
#[tokio::test]
async fn failed_request_body_is_classified_as_request_error() {
    let origin = origin(FirstRequest::Hang).await;
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
async fn retry_layer_does_not_retry_post_when_connection_is_aborted() {
    let abort = FirstRequest::Abort(Reason::INTERNAL_ERROR);
    assert_eq!(cause_and_processed(abort).await.1, Processed::Maybe);
    assert_eq!(requests_of_post_and_get(abort).await, [1, 2]);
}
