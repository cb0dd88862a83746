//! The head, idle and send timeouts.

use std::time::Duration;

use scripted_origin::{Origin, Script};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep, timeout},
};

use crate::{
    caller::{Caller, LIMIT, REQUEST},
    running::Running,
    stream_origin::{FIRST, LAST, StreamOrigin, start_endless},
};

const HEAD_TIMEOUT: &str = "head_timeout = \"300ms\"";
const IDLE_TIMEOUT: &str = "idle_timeout = \"300ms\"";

/// A timeout without its jitter.
const SHORTEST: Duration = Duration::from_millis(270);

/// Starts a gateway, sends bytes, and waits for the end of the connection.
async fn assert_ends(server: &str, has_request: bool, bytes: &str) {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start(server, origin.addr());
    let mut start = Instant::now();
    let mut caller = Caller::connect(gateway.address).await;
    if has_request {
        start = Instant::now();
        caller.request().await;
    }
    caller.send(bytes).await;
    assert_eq!(String::from_utf8_lossy(&caller.read_to_end().await), "");
    assert!(start.elapsed() >= SHORTEST, "{:?}", start.elapsed());
}

#[tokio::test]
async fn connection_ends_when_it_sends_nothing() {
    assert_ends(HEAD_TIMEOUT, false, "").await;
}

#[tokio::test]
async fn connection_ends_when_it_sends_half_a_head() {
    assert_ends(HEAD_TIMEOUT, false, "GET /a HTTP/1.1\r\nhost: h\r\nx-a:").await;
}

#[tokio::test]
async fn connection_ends_when_its_first_bytes_may_be_http2() {
    assert_ends(HEAD_TIMEOUT, false, "P").await;
}

#[tokio::test]
async fn connection_ends_when_it_sends_half_a_head_after_a_request() {
    assert_ends(HEAD_TIMEOUT, true, "GET /a HTTP/1.1\r\n").await;
}

#[tokio::test]
async fn connection_ends_when_it_is_idle_after_a_request() {
    assert_ends(IDLE_TIMEOUT, true, "").await;
}

#[tokio::test]
async fn connection_ends_when_its_head_is_steady_but_slow() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start(HEAD_TIMEOUT, origin.addr());
    let mut caller = Caller::connect(gateway.address).await;
    caller.send("GET /a HTTP/1.1\r\nx-a: ").await;
    let (mut reader, mut writer) = caller.0.split();
    let drip = async {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let mut bytes = Vec::new();
    let end = async {
        tokio::select! {
            _ = reader.read_to_end(&mut bytes) => {}
            () = drip => {}
        }
    };
    timeout(LIMIT, end).await.expect("expected the end");
    assert_eq!(bytes, b"");
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn idle_connection_serves_next_request_when_head_timeout_has_passed() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("head_timeout = \"100ms\"", origin.addr());
    let mut caller = Caller::connect(gateway.address).await;
    caller.request().await;
    sleep(Duration::from_millis(400)).await;
    caller.request().await;
}

#[tokio::test]
async fn response_is_complete_when_it_lasts_longer_than_the_timeouts() {
    let origin = StreamOrigin::start().await;
    let timeouts = "head_timeout = \"100ms\"\nidle_timeout = \"100ms\"\nsend_timeout = \"100ms\"";
    let gateway = Running::start(timeouts, origin.address);
    let mut caller = Caller::connect(gateway.address).await;
    caller.send(REQUEST).await;
    caller.read_until(FIRST).await;
    sleep(Duration::from_millis(500)).await;
    origin.end_response();
    caller.read_until(LAST).await;
}

#[tokio::test]
async fn request_body_arrives_when_it_lasts_longer_than_the_timeouts() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let timeouts = "head_timeout = \"100ms\"\nidle_timeout = \"100ms\"\nsend_timeout = \"100ms\"";
    let gateway = Running::start(timeouts, origin.addr());
    let mut caller = Caller::connect(gateway.address).await;
    caller.send("POST /a/x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n1").await;
    sleep(Duration::from_millis(500)).await;
    caller.send("2").await;
    caller.read_until("ok").await;
}

#[tokio::test]
async fn connection_ends_when_the_caller_stops_reading() {
    let (upstream, upstream_closed) = start_endless().await;
    let gateway = Running::start("send_timeout = \"300ms\"", upstream);
    let mut caller = Caller::connect(gateway.address).await;
    caller.send(REQUEST).await;
    caller.read_until("a").await;
    timeout(LIMIT, upstream_closed).await.expect("expected the end").unwrap();
}

#[tokio::test]
async fn sighup_applies_timeouts_to_new_connections() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let mut gateway = Running::start("head_timeout = \"1h\"", origin.addr());
    let mut old = Caller::connect(gateway.address).await;
    old.request().await;
    assert!(gateway.reload(HEAD_TIMEOUT, origin.addr()).starts_with("reloaded "));
    let mut new = Caller::connect(gateway.address).await;
    assert_eq!(new.read_to_end().await, b"");
    let message = gateway.reload("head_timeout = \"0s\"", origin.addr());
    assert!(message.ends_with("the previous configuration stays in force"), "{message}");
    let mut new = Caller::connect(gateway.address).await;
    assert_eq!(new.read_to_end().await, b"");
    old.request().await;
}
