//! The side that closed a stream or a connection of HTTP/2, and its reason.
//!
//! The tests use real sockets and therefore real time.

use std::{future::ready, net::SocketAddr};

use bytes::Bytes;
use futures_util::stream;
use h2::Reason;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, StreamBody};
use hyper_util::{
    client::legacy::{Client, Error as ClientError},
    rt::{TokioExecutor, TokioIo},
};
use seawall::{
    Blame, Cause, ClosedBy, Detail, Failure, Processed, classify::classify_error, find_source,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

use super::{PAGE, documented};
use crate::support::sockets::{Body, empty};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// Encodes a frame without flags (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Serves one connection: answers the first request with `response`, and then reads to the end.
async fn serve(response: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.read_exact(&mut [0; 24]).await?;
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            stream.read_exact(&mut vec![0; length as usize]).await?;
            if head[3] == HEADERS {
                stream.write_all(&response).await?;
            }
        }
        #[allow(unreachable_code, reason = "gives the block its type")]
        std::io::Result::Ok(())
    });
    addr
}

async fn failure_of(addr: SocketAddr, body: Body) -> Failure {
    classify_error(&error_of(addr, body).await)
}

async fn error_of(addr: SocketAddr, body: Body) -> ClientError {
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let request = Request::post(format!("http://{addr}/")).body(body).unwrap();
    client.oneshot(request).await.unwrap_err()
}

/// Returns the cause that `docs/blame.md` has for a reason of an upstream.
fn documented_cause(reason: &str) -> &'static str {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| upstream | "));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").split_once(" | "));
    let mut causes = cells.filter(|(reasons, _)| reasons.split(", ").any(|it| it == reason));
    let (_, cause) = causes.next().unwrap_or_else(|| panic!("expected a row for {reason}"));
    cause.split_once(':').map_or(cause, |(cause, _)| cause)
}

/// Every reason of RFC 9113 §7, and an unknown one.
#[tokio::test]
async fn failure_names_reason_of_upstream() {
    use Cause::{
        ConnectionTerminated, HttpProtocolError, ProxyConfigurationError, TlsProtocolError,
    };
    for (reason, name, cause) in [
        (0, "NO_ERROR", ConnectionTerminated),
        (1, "PROTOCOL_ERROR", HttpProtocolError),
        (2, "INTERNAL_ERROR", ConnectionTerminated),
        (3, "FLOW_CONTROL_ERROR", HttpProtocolError),
        (4, "SETTINGS_TIMEOUT", ConnectionTerminated),
        (5, "STREAM_CLOSED", HttpProtocolError),
        (6, "FRAME_SIZE_ERROR", HttpProtocolError),
        (7, "REFUSED_STREAM", ConnectionTerminated),
        (8, "CANCEL", ConnectionTerminated),
        (9, "COMPRESSION_ERROR", HttpProtocolError),
        (10, "CONNECT_ERROR", ConnectionTerminated),
        (11, "ENHANCE_YOUR_CALM", ConnectionTerminated),
        (12, "INADEQUATE_SECURITY", TlsProtocolError),
        (13, "HTTP_1_1_REQUIRED", ProxyConfigurationError),
        (99, "HTTP/2 reason 99", ConnectionTerminated),
    ] {
        let code = u32::to_be_bytes(reason);
        for (kind, stream, payload) in
            [(RST_STREAM, 1, code.to_vec()), (GOAWAY, 0, [[0; 4], code].concat())]
        {
            let addr = serve(frame(kind, 0, stream, &payload)).await;
            let failure = failure_of(addr, empty()).await;
            let closed_by = ClosedBy::Upstream;
            assert_eq!(failure.cause(), cause, "{kind} {failure}");
            assert_eq!(failure.detail(), Some(Detail::Http2 { closed_by, reason }), "{failure}");
            assert!(failure.to_string().contains(&format!("{name} by upstream")), "{failure}");
            assert!(!failure.advice().is_empty());
            let documented_name = if reason == 99 { "unknown" } else { &format!("`{name}`") };
            assert_eq!(documented_cause(documented_name), format!("`{cause}`"), "{name}");
            // Only these two guarantee that the request was not processed.
            let is_proof = (kind, reason) == (RST_STREAM, 7) || (kind, reason) == (GOAWAY, 0);
            let processed = if is_proof { Processed::No } else { Processed::Maybe };
            assert_eq!(failure.processed(), processed, "{kind} {failure}");
        }
    }
}

#[tokio::test]
async fn goaway_with_error_proves_nothing() {
    // The reasons that a proof could be mistaken for.
    for reason in [Reason::REFUSED_STREAM, Reason::CANCEL, Reason::PROTOCOL_ERROR] {
        let payload = [[0; 4], u32::from(reason).to_be_bytes()].concat();
        let addr = serve(frame(GOAWAY, 0, 0, &payload)).await;
        let failure = failure_of(addr, empty()).await;
        assert_eq!(failure.processed(), Processed::Maybe, "{failure}");
    }
}

/// hyper resets the stream with the reason of the body's error. Here it is that of another upstream
/// whose stream was refused.
#[tokio::test]
async fn reset_by_this_side_proves_nothing() {
    let addr = serve(Vec::new()).await;
    let frames = stream::once(ready(Err(h2::Error::from(Reason::REFUSED_STREAM))));
    let body = StreamBody::new(frames).map_err(Into::into).boxed();
    let error = error_of(addr, body).await;
    let h2 = find_source::<h2::Error>(&error).unwrap();
    assert!(h2.is_reset() && !h2.is_remote(), "{h2}");
    assert_eq!(h2.reason(), Some(Reason::REFUSED_STREAM));
    let failure = classify_error(&error);
    assert_eq!((failure.cause(), failure.processed()), (Cause::HttpRequestError, Processed::Maybe));
}

/// The error of a stream that this side ends by a graceful GOAWAY.
#[tokio::test]
async fn goaway_of_this_side_proves_nothing() {
    let (client, server) = tokio::io::duplex(4_096);
    let (client, server) =
        tokio::join!(h2::client::handshake(client), h2::server::handshake(server));
    let ((mut sender, connection), mut server) = (client.unwrap(), server.unwrap());
    tokio::spawn(connection);
    let request = Request::post("http://up.test/").body(()).unwrap();
    let (_response, _body) = sender.send_request(request, false).unwrap();
    let (request, _respond) = server.accept().await.unwrap().unwrap();
    server.abrupt_shutdown(Reason::NO_ERROR);
    tokio::spawn(async move { while server.accept().await.is_some() {} });
    let error = request.into_body().data().await.unwrap().unwrap_err();
    assert!(error.is_go_away() && !error.is_remote(), "{error}");
    assert_eq!(error.reason(), Some(Reason::NO_ERROR));
    assert_eq!(classify_error(&error).processed(), Processed::Maybe);
}

/// A response without a status is malformed (RFC 9113 §8.1.1).
fn malformed_response() -> Vec<u8> {
    const END_HEADERS: u8 = 4;
    frame(HEADERS, END_HEADERS, 1, b"\x00\x01a\x01b")
}

#[tokio::test]
async fn failure_blames_upstream_when_library_rejects_its_frames() {
    for response in [malformed_response(), frame(DATA, 0, 0, b"x")] {
        let failure = failure_of(serve(response).await, empty()).await;
        let detail = Detail::Http2 { closed_by: ClosedBy::Library, reason: 1 };
        assert_eq!((failure.cause(), failure.detail()), (Cause::HttpProtocolError, Some(detail)));
        assert_eq!((failure.blame(), failure.processed()), (Blame::Upstream, Processed::Maybe));
    }
    let row = documented("the HTTP/2 library here | any other");
    assert!(row.starts_with("`http_protocol_error`"), "{row}");
}

/// h2 closes the connection when too many of its streams had errors. Frames for streams that the
/// client canceled are such errors.
#[tokio::test]
async fn failure_blames_process_when_library_reaches_limit_of_resets() {
    let stream = TcpStream::connect(serve(malformed_response()).await).await.unwrap();
    let (mut sender, connection) = h2::client::Builder::new()
        .max_local_error_reset_streams(Some(0))
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://up.test/").body(()).unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let failure = classify_error(&response.await.unwrap_err());
    let detail = Detail::Http2 { closed_by: ClosedBy::Library, reason: 11 };
    assert_eq!((failure.cause(), failure.detail()), (Cause::ConnectionTerminated, Some(detail)));
    assert_eq!((failure.blame(), failure.processed()), (Blame::Process, Processed::Maybe));
    assert!(failure.advice().contains("cancels many calls"), "{}", failure.advice());
    let row = documented("the HTTP/2 library here | `ENHANCE_YOUR_CALM`");
    assert!(row.starts_with("`connection_terminated`, which blames this process"), "{row}");
}

#[tokio::test]
async fn failure_blames_caller_when_library_rejects_request() {
    let stream = TcpStream::connect(serve(Vec::new()).await).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    // HTTP/2 requires a scheme and an authority.
    let request = Request::get("/").version(Version::HTTP_2).body(empty()).unwrap();
    let error = sender.send_request(request).await.unwrap_err();
    let failure = classify_error(&error);
    assert_eq!((failure.cause(), failure.blame()), (Cause::HttpRequestError, Blame::Caller));
    assert_eq!(failure.gateway_status(), StatusCode::BAD_REQUEST);
}
