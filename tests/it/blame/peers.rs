//! Servers that do not speak the protocol that the client expects, and connections that close.
//!
//! The tests use real sockets and therefore real time.

use std::{io, net::SocketAddr, time::Duration};

use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use rustls::{ClientConfig, RootCertStore};
use seawall::{
    Blame, Cause, Detail, Failure, Processed,
    classify::classify_error,
    hyper_util::TrackReuse,
    test_util::{FlakyUpstream, Step},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{advance, pause, resume},
};
use tower::{ServiceExt, service_fn};

use crate::support::sockets::{Body, empty, hyper_client};

/// The first bytes of servers that do not wait for a request.
const GREETINGS: [&[u8]; 4] = [
    b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    b"220 mail.example ESMTP Postfix\r\n",
    // MySQL: a packet with the version.
    b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0",
    b"* OK IMAP4rev1 ready\r\n",
];

/// The first frame of an HTTP/2 server: SETTINGS.
const SETTINGS: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64";

/// A fatal TLS alert: unexpected message.
const ALERT: &[u8] = b"\x15\x03\x03\0\x02\x02\x0a";

/// The time at which a server sends its bytes.
#[derive(Clone, Copy, Debug)]
enum At {
    Connect,
    Request,
}

/// Sends `bytes` on each connection, and closes it after the client's.
async fn serve(at: At, bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let At::Request = at {
                    stream.read_u8().await?;
                }
                stream.write_all(bytes).await?;
                stream.shutdown().await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
            });
        }
    });
    addr
}

fn request(scheme: &str, addr: SocketAddr) -> Request<Body> {
    Request::post(format!("{scheme}://localhost:{}/", addr.port())).body(empty()).unwrap()
}

/// Calls by HTTP/1.1 once the first bytes of the server have arrived, if it speaks first.
async fn failure_of_tracked_call(at: At, addr: SocketAddr) -> Failure {
    let connector = service_fn(move |_: Uri| {
        Box::pin(async move {
            let stream = TcpStream::connect(addr).await?;
            if let At::Connect = at {
                stream.readable().await?;
            }
            io::Result::Ok(TokioIo::new(stream))
        })
    });
    let client = Client::builder(TokioExecutor::new()).build(TrackReuse::new(connector));
    classify_error(&client.oneshot(request("http", addr)).await.unwrap_err())
}

#[tokio::test]
async fn failure_is_protocol_error_when_server_speaks_first() {
    for greeting in GREETINGS.into_iter().chain([SETTINGS]) {
        let addr = serve(At::Connect, greeting).await;
        let failure =
            classify_error(&hyper_client().oneshot(request("http", addr)).await.unwrap_err());
        assert_eq!(failure.cause(), Cause::HttpProtocolError, "{failure} {greeting:?}");
    }
}

#[tokio::test]
async fn failure_names_server_that_speaks_first() {
    for greeting in GREETINGS {
        let addr = serve(At::Connect, greeting).await;
        let failure = failure_of_tracked_call(At::Connect, addr).await;
        assert_eq!(failure.cause(), Cause::HttpProtocolError, "{failure}");
        assert_eq!(failure.detail(), Some(Detail::ServerSpokeFirst), "{failure}");
        assert!(failure.to_string().starts_with("http protocol error (server spoke first, "));
    }
}

/// hyper's own error for bytes that it does not expect, on a connection that the user opened.
#[tokio::test]
async fn failure_is_protocol_error_when_hyper_receives_unexpected_message() {
    let addr = serve(At::Connect, GREETINGS[0]).await;
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.readable().await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let call = sender.send_request(request("http", addr));
    let connection = tokio::spawn(connection);
    let failure = classify_error(&call.await.unwrap_err());
    assert_eq!(failure.cause(), Cause::HttpProtocolError, "{failure}");
    if let Err(error) = connection.await.unwrap() {
        assert_eq!(classify_error(&error).cause(), Cause::HttpProtocolError, "{error:?}");
    }
}

#[tokio::test]
async fn failure_names_protocol_of_server_on_wrong_port() {
    for (at, bytes, detail) in [
        (At::Request, ALERT, Detail::ServerSpeaksTls),
        (At::Connect, SETTINGS, Detail::ServerSpokeFirst),
        (At::Request, SETTINGS, Detail::ServerSpeaksHttp2),
    ] {
        let failure = failure_of_tracked_call(at, serve(at, bytes).await).await;
        assert_eq!(failure.cause(), Cause::HttpProtocolError, "{failure}");
        assert_eq!(failure.detail(), Some(detail), "{failure}");
        assert_eq!(failure.blame(), Blame::Upstream);
    }
}

#[tokio::test]
async fn failure_names_port_that_does_not_speak_tls() {
    let provider = rustls::crypto::ring::default_provider().into();
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.unwrap().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
    let client = Client::builder(TokioExecutor::new()).build(connector.build());
    let plain: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    for (at, bytes) in [(At::Request, plain), (At::Connect, GREETINGS[0])] {
        let addr = serve(at, bytes).await;
        let error = client.clone().oneshot(request("https", addr)).await.unwrap_err();
        let failure = classify_error(&error);
        assert_eq!(failure.cause(), Cause::TlsProtocolError, "{failure}");
        assert_eq!(failure.detail(), Some(Detail::ServerSpeaksPlain), "{failure}");
        assert_eq!(failure.processed(), Processed::No, "{failure}");
    }
}

/// Returns the failure of a second request that the server resets, after an idle time.
async fn failure_after(idle: Duration) -> Failure {
    let upstream = FlakyUpstream::start([Step::ok("ok"), Step::reset()]).await.unwrap();
    let connector = TrackReuse::new(HttpConnector::new());
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let call = || client.clone().oneshot(Request::get(upstream.url("/")).body(empty()).unwrap());
    call().await.unwrap().into_body().collect().await.unwrap();
    // Moves tokio's clock without waiting.
    pause();
    advance(idle).await;
    resume();
    let failure = classify_error(&call().await.unwrap_err());
    assert_eq!((upstream.connections(), upstream.requests()), (1, 2));
    assert_eq!(failure.cause(), Cause::ConnectionTerminated, "{failure}");
    failure
}

#[tokio::test]
async fn failure_states_idle_time_of_reused_connection() {
    let failure = failure_after(Duration::from_millis(100)).await;
    let Some(Detail::ReusedConnection { idle }) = failure.detail() else { panic!("{failure}") };
    assert!(idle >= Duration::from_millis(100), "{idle:?}");
    let text =
        format!("connection terminated (reused connection, idle {idle:?}, detected locally; ");
    assert!(failure.to_string().starts_with(&text), "{failure}");
    assert!(!failure.is_stale_connection());
}

#[tokio::test]
async fn failure_claims_staleness_when_idle_time_makes_it_plausible() {
    for (idle, is_stale) in [(0, false), (300, false), (1_000, true), (65_000, true)] {
        let failure = failure_after(Duration::from_millis(idle)).await;
        assert_eq!(failure.is_stale_connection(), is_stale, "{failure}");
        assert_eq!(failure.processed(), Processed::Maybe);
    }
}

/// The idle time begins at the end of a response, not at its first byte.
#[tokio::test]
async fn idle_time_begins_at_end_of_response() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (first_half, second_half) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1_024];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na").await.unwrap();
        first_half.notified().await;
        stream.write_all(b"b").await.unwrap();
        second_half.notified().await;
        let _ = stream.read(&mut buffer).await.unwrap();
    };
    let client = async {
        let connector = TrackReuse::new(HttpConnector::new());
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let response = client.clone().oneshot(request("http", addr)).await.unwrap();
        pause();
        advance(Duration::from_secs(9)).await;
        resume();
        first_half.notify_one();
        response.into_body().collect().await.unwrap();
        second_half.notify_one();
        classify_error(&client.oneshot(request("http", addr)).await.unwrap_err())
    };
    let ((), failure) = tokio::join!(server, client);
    assert!(matches!(failure.detail(), Some(Detail::ReusedConnection { .. })), "{failure}");
}
