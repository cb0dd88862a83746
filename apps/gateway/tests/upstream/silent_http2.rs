//! HTTP/2 upstreams that stop to respond, and callers that stop to read.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, body::Bytes, extract::State, routing::get};
use futures_util::stream;
use http::Uri;
use tokio::{net::TcpListener, time::timeout};

use crate::{
    ConfiguredGateway,
    raw_origin::{LIMIT, RawOrigin},
};

/// An empty SETTINGS frame.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Starts a server whose first connection is silent after its SETTINGS. It responds with 200 to the
/// first request of each other connection.
fn start_silent_origin() -> RawOrigin {
    RawOrigin::start(|connection, number| {
        let _ = connection.write_all(&SETTINGS);
        if number == 0 {
            let _ = std::io::copy(connection, &mut std::io::sink());
            return;
        }
        let mut preface = [0; 24];
        let _ = connection.read_exact(&mut preface);
        let mut head = [0; 9];
        while connection.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            if connection.read_exact(&mut payload).is_err() {
                return;
            }
            let frame = match (head[3], head[4] & 1) {
                // HEADERS of stream 1: `:status: 200` (RFC 7541, appendix A), and its end.
                (1, _) => vec![0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88],
                // SETTINGS and PING: an acknowledgment.
                (4, 0) => vec![0, 0, 0, 4, 1, 0, 0, 0, 0],
                (6, 0) => [&[0, 0, 8, 6, 1, 0, 0, 0, 0], &*payload].concat(),
                _ => continue,
            };
            let _ = connection.write_all(&frame);
        }
    })
}

fn config(url: &str, settings: &str) -> String {
    let upstream = format!("[{{ url = \"{url}\", http2 = true }}]");
    format!("{settings}\n[[service]]\nname = \"m\"\nupstream = {upstream}\n")
}

#[tokio::test]
async fn ping_closes_silent_connection() {
    let origin = start_silent_origin();
    let settings = "[connections]\nhttp2_ping_interval = \"1s\"\n[policy]\nretries = 0";
    let gateway = ConfiguredGateway::start(&config(&origin.url(), settings));
    // The attempt's own timeout is longer than the test.
    let (status, cause) = timeout(LIMIT, gateway.request("GET")).await.unwrap();
    assert_eq!((status, cause.as_str()), (504, "http_response_timeout"));
    origin.wait_until_connection_ends();
    assert_eq!(timeout(LIMIT, gateway.request("GET")).await.unwrap().0, 200);
}

#[tokio::test]
async fn retry_opens_another_connection_when_the_first_is_silent() {
    let origin = start_silent_origin();
    let settings = "[policy]\nattempt = \"1s\"\nretries = 3";
    let gateway = ConfiguredGateway::start(&config(&origin.url(), settings));
    assert_eq!(timeout(LIMIT, gateway.request("GET")).await.unwrap().0, 200);
}

/// Starts an HTTP/2 server with an endless response at `/endless`. Returns its URL and the number
/// of chunks that it produced.
async fn start_endless_origin() -> (String, Arc<AtomicUsize>) {
    async fn endless(State(chunks): State<Arc<AtomicUsize>>) -> Body {
        Body::from_stream(stream::repeat_with(move || {
            chunks.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 8_192]))
        }))
    }
    let chunks = Arc::new(AtomicUsize::new(0));
    let app = axum::Router::new()
        .route("/endless", get(endless))
        .route("/x", get(async || "fine"))
        .with_state(Arc::clone(&chunks));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, chunks)
}

// The callers block their thread.
#[tokio::test(flavor = "multi_thread")]
async fn other_responses_flow_when_callers_do_not_read() {
    const CALLERS: usize = 8;
    let (url, chunks) = start_endless_origin().await;
    let gateway = ConfiguredGateway::start(&config(&url, ""));
    let authority = gateway.process.url.parse::<Uri>().unwrap().authority().unwrap().to_string();
    let _callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut caller = TcpStream::connect(&authority).unwrap();
            caller.write_all(b"GET /m/endless HTTP/1.1\r\nhost: g\r\n\r\n").unwrap();
            caller.read_exact(&mut [0; 1]).unwrap();
            caller
        })
        .collect();
    // Until all buffers are full. If it ends too early, the test proves less, and does not fail.
    let mut produced = 0;
    while chunks.load(Ordering::Relaxed) != produced {
        produced = chunks.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let answer = timeout(LIMIT, gateway.request("GET")).await.unwrap();
    assert_eq!(answer, (200, "fine".into()));
}
