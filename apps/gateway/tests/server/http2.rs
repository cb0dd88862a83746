//! HTTP/2: prior knowledge, GOAWAY and its limits.

use axum::body::Bytes;
use h2::{RecvStream, client::SendRequest};
use http::Request;
use scripted_origin::{Origin, Script};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    caller::{Caller, LIMIT},
    running::Running,
    stream_origin::StreamOrigin,
};

/// The connection preface and empty SETTINGS (RFC 9113, sections 3.4 and 6.5).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The type of a GOAWAY frame (RFC 9113, section 6.8).
const GOAWAY: u8 = 7;

pub(crate) type Connection = JoinHandle<Result<(), h2::Error>>;

pub(crate) async fn connect<S>(stream: S) -> (SendRequest<Bytes>, Connection)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    (sender, tokio::spawn(connection))
}

/// Sends a request, and returns the body of the response.
pub(crate) async fn send(sender: &mut SendRequest<Bytes>, scheme: &str) -> RecvStream {
    let request = Request::get(format!("{scheme}://localhost/a/x")).body(()).unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let response = timeout(LIMIT, response).await.expect("expected a response").unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

pub(crate) async fn read(mut body: RecvStream) -> String {
    let mut bytes = Vec::new();
    while let Some(data) = timeout(LIMIT, body.data()).await.expect("expected data") {
        let data = data.unwrap();
        let _ = body.flow_control().release_capacity(data.len());
        bytes.extend(data);
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns the body of the response to one request.
pub(crate) async fn get<S>(stream: S, scheme: &str) -> String
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, _connection) = connect(stream).await;
    read(send(&mut sender, scheme).await).await
}

/// Reads frames until the end. Returns their types.
async fn read_frame_types(caller: &mut Caller) -> Vec<u8> {
    let bytes = caller.read_to_end().await;
    let (mut types, mut rest) = (Vec::new(), &bytes[..]);
    while let [a, b, c, frame_type, ..] = *rest {
        types.push(frame_type);
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    types
}

#[tokio::test]
async fn gateway_serves_http2_by_prior_knowledge() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("", origin.addr());
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    assert_eq!(get(stream, "http").await, "ok");
}

#[tokio::test]
async fn drain_sends_goaway_and_waits_for_stream() {
    let origin = StreamOrigin::start().await;
    let mut gateway = Running::start("", origin.address);
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) = connect(stream).await;
    let body = send(&mut sender, "http").await;
    assert_eq!(gateway.process.signal_and_read_line("-TERM"), "draining");
    // After GOAWAY, h2 refuses to send requests.
    let refused = async {
        while sender.clone().ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, refused).await.expect("expected GOAWAY");
    origin.end_response();
    assert_eq!(read(body).await, "firstlast!");
    timeout(LIMIT, connection).await.expect("expected the end").unwrap().unwrap();
    let (code, stderr) = gateway.process.wait();
    assert_eq!(code, Some(0), "{stderr}");
}

#[tokio::test]
async fn idle_connection_ends_with_goaway_when_idle_timeout_has_passed() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("idle_timeout = \"300ms\"", origin.addr());
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) = connect(stream).await;
    assert_eq!(read(send(&mut sender, "http").await).await, "ok");
    timeout(LIMIT, connection).await.expect("expected the end").unwrap().unwrap();
}

#[tokio::test]
async fn idle_connection_gets_goaway_when_it_ignores_pings() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("idle_timeout = \"300ms\"", origin.addr());
    let mut caller = Caller::connect(gateway.address).await;
    caller.send(PREFACE).await;
    let types = read_frame_types(&mut caller).await;
    assert!(types.contains(&GOAWAY), "{types:?}");
}

#[tokio::test]
async fn idle_connection_outlives_head_timeout() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("head_timeout = \"100ms\"", origin.addr());
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, _connection) = connect(stream).await;
    for _ in 0..2 {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(read(send(&mut sender, "http").await).await, "ok");
    }
}

#[tokio::test]
async fn gateway_announces_its_limits() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("", origin.addr());
    let mut caller = Caller::connect(gateway.address).await;
    caller.send(PREFACE).await;
    let mut head = [0; 9];
    caller.0.read_exact(&mut head).await.unwrap();
    let mut settings = vec![0; usize::from(head[2])];
    caller.0.read_exact(&mut settings).await.unwrap();
    // SETTINGS_MAX_CONCURRENT_STREAMS and SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, section 6.5.2).
    for (identifier, value) in [(3, 200_u32), (6, 65_536)] {
        let mut expected = vec![0, identifier];
        expected.extend(value.to_be_bytes());
        assert!(settings.chunks(6).any(|setting| setting == expected), "{settings:?}");
    }
}
