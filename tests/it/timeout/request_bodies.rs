//! The clock of an attempt and the caller's request body, over hyper on a connection in memory.

use std::{convert::Infallible, future::pending, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use seawall::{
    BoxError, Cause, Elapsed, TimeoutKind,
    classify::classify_error,
    find_source,
    retry::{ReplayBody, RetryLayer},
    timeout::TimeoutLayer,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, sleep},
};
use tokio_rustls::TlsConnector;
use tower::{ServiceBuilder, ServiceExt};

const LIMIT: Duration = Duration::from_millis(320);
const TOTAL: Duration = Duration::from_secs(5);

type Body = BoxBody<Bytes, Infallible>;

/// Returns the data of a body, with a pause before each frame.
fn slow(frames: usize, pause: Duration) -> impl Stream<Item = Bytes> + Send + Sync {
    stream::iter(0..frames).then(move |_| async move {
        sleep(pause).await;
        Bytes::from_static(b"x")
    })
}

fn body(stream: impl Stream<Item = Bytes> + Send + Sync + 'static) -> Body {
    BodyExt::boxed(StreamBody::new(stream.map(|data| Ok(Frame::data(data)))))
}

async fn send<T>(io: T, request: Request<ReplayBody<Body>>) -> Result<Response<Incoming>, BoxError>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// Makes a call through a retry and a timeout. Returns the status or the kind of the timeout, and
/// the time of the call.
async fn call<F>(
    body: Body,
    client: impl Fn(Request<ReplayBody<Body>>) -> F + Clone,
) -> (Result<u16, TimeoutKind>, Duration)
where
    F: Future<Output = Result<Response<Incoming>, BoxError>>,
{
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new().max_retries(0).total_timeout(TOTAL))
        .layer(TimeoutLayer::new(LIMIT).pause_while_body_pending())
        .service_fn(client);
    let started = Instant::now();
    let result = client.oneshot(Request::post("/").body(body).unwrap()).await;
    let result = result.map(|response| response.status().as_u16()).map_err(|error| {
        let kind = find_source::<Elapsed>(&*error).expect("a timeout").kind();
        let is_caller = matches!(kind, TimeoutKind::RequestIdle | TimeoutKind::RequestTotal);
        let cause = if is_caller { Cause::RequestTimeout } else { Cause::HttpResponseTimeout };
        assert_eq!(classify_error(&*error).cause(), cause);
        kind
    });
    (result, started.elapsed())
}

/// Reads a request to its last chunk, and responds.
async fn respond(mut stream: DuplexStream) -> io::Result<()> {
    let mut received = Vec::new();
    while !received.ends_with(b"0\r\n\r\n") {
        stream.read_buf(&mut received).await?;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    pending().await
}

/// Reads everything, and never responds.
async fn ignore(mut stream: DuplexStream) {
    while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
    pending::<()>().await;
}

/// Makes a call to an upstream that handles each connection with `serve`.
async fn call_upstream<F>(
    body: Body,
    serve: impl Fn(DuplexStream) -> F + Clone,
) -> (Result<u16, TimeoutKind>, Duration)
where
    F: Future<Output: Send> + Send + 'static,
{
    let client = |request| {
        let (near, far) = duplex(1_024);
        tokio::spawn(serve(far));
        send(near, request)
    };
    call(body, client).await
}

fn assert_time(time: Duration, expected: Duration) {
    let tolerance = LIMIT / 16 + Duration::from_millis(5);
    assert!(time >= expected && time <= expected + tolerance, "{time:?}, expected {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn clock_stops_while_body_is_pending() {
    let pause = Duration::from_millis(50);
    let (result, time) = call_upstream(body(slow(20, pause)), respond).await;
    assert_eq!(result, Ok(200));
    assert_time(time, pause * 20);
}

/// The caller of a gRPC stream may wait for a response before it sends more.
#[tokio::test(start_paused = true)]
async fn clock_runs_while_body_of_grpc_request_is_pending() {
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new().max_retries(0).total_timeout(TOTAL))
        .layer(TimeoutLayer::new(LIMIT).pause_while_body_pending())
        .service_fn(async |request: Request<ReplayBody<Body>>| {
            request.into_body().collect().await?;
            Ok::<_, BoxError>(Response::new(Body::default()))
        });
    let request = Request::post("/").header("content-type", "application/grpc");
    let started = Instant::now();
    let error = client.oneshot(request.body(body(stream::pending())).unwrap()).await.unwrap_err();
    assert_eq!(find_source::<Elapsed>(&*error).unwrap().kind(), TimeoutKind::ResponseHead);
    assert_time(started.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn clock_runs_while_client_connects() {
    let (result, time) = call(body(stream::pending()), |_| pending()).await;
    assert_eq!(result, Err(TimeoutKind::ResponseHead));
    assert_time(time, LIMIT);
}

#[tokio::test(start_paused = true)]
async fn clock_runs_during_tls_handshake() {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let client = |request| {
        let connector = connector.clone();
        async move {
            let (near, far) = duplex(1_024);
            tokio::spawn(ignore(far));
            let stream = connector.connect("up.example".try_into().unwrap(), near).await?;
            send(stream, request).await
        }
    };
    let (result, time) = call(body(stream::pending()), client).await;
    assert_eq!(result, Err(TimeoutKind::ResponseHead));
    assert_time(time, LIMIT);
}

#[tokio::test(start_paused = true)]
async fn clock_runs_while_upstream_does_not_read() {
    let never_reads = |stream: DuplexStream| async move {
        let _stream = stream;
        pending::<()>().await;
    };
    let endless = || stream::repeat(Bytes::from(vec![0; 16 << 10]));
    let (result, time) = call_upstream(body(endless()), never_reads).await;
    assert_eq!(result, Err(TimeoutKind::ResponseHead));
    assert_time(time, LIMIT);

    // The wait before it is not counted.
    let pause = Duration::from_millis(200);
    let (result, time) = call_upstream(body(slow(1, pause).chain(endless())), never_reads).await;
    assert_eq!(result, Err(TimeoutKind::ResponseHead));
    assert_time(time, pause + LIMIT);
}

#[tokio::test(start_paused = true)]
async fn clock_runs_while_upstream_does_not_respond() {
    let pause = Duration::from_millis(100);
    for frames in [0, 1, 10] {
        let (result, time) = call_upstream(body(slow(frames, pause)), ignore).await;
        assert_eq!(result, Err(TimeoutKind::ResponseHead));
        assert_time(time, pause * frames as u32 + LIMIT);
    }
}

#[tokio::test(start_paused = true)]
async fn clock_runs_when_client_drops_pending_body() {
    let client = |request: Request<ReplayBody<Body>>| async move {
        let mut body = request.into_body();
        assert!(tokio::time::timeout(Duration::from_millis(100), body.frame()).await.is_err());
        drop(body);
        pending().await
    };
    let (result, time) = call(body(stream::pending()), client).await;
    assert_eq!(result, Err(TimeoutKind::ResponseHead));
    assert_time(time, Duration::from_millis(100) + LIMIT);
}

#[tokio::test(start_paused = true)]
async fn caller_gets_request_timeout_when_it_stalls() {
    let pause = Duration::from_millis(100);
    let stalled = slow(5, pause).chain(stream::pending());
    let (result, time) = call_upstream(body(stalled), ignore).await;
    assert_eq!(result, Err(TimeoutKind::RequestIdle));
    assert_time(time, pause * 5 + LIMIT);
}

#[tokio::test(start_paused = true)]
async fn deadline_ends_upload_that_never_ends() {
    let pause = Duration::from_millis(100);
    let (result, time) = call_upstream(body(slow(1_000, pause)), ignore).await;
    assert_eq!(result, Err(TimeoutKind::RequestTotal));
    assert_time(time, TOTAL);
}

/// The attempt's own limit is used up before the caller stalls.
#[tokio::test(start_paused = true)]
async fn stalled_body_ends_when_attempt_has_no_time_left() {
    const BEFORE_BODY: Duration = Duration::from_millis(319);

    let client = |request: Request<ReplayBody<Body>>| async move {
        sleep(BEFORE_BODY).await;
        let _ = request.into_body().frame().await;
        pending().await
    };
    let (result, time) = call(body(stream::pending()), client).await;
    assert_eq!(result, Err(TimeoutKind::RequestIdle));
    assert_time(time, LIMIT + BEFORE_BODY);
}
