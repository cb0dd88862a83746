//! The drain on SIGTERM.

use scripted_origin::{Origin, Script};
use tokio::net::TcpStream;

use crate::{
    caller::{Caller, REQUEST},
    running::Running,
    stream_origin::{FIRST, LAST, StreamOrigin},
};

/// Starts a gateway with a streamed response in flight, and lets it drain.
async fn drain_stream(server: &str) -> (StreamOrigin, Running, Caller) {
    let origin = StreamOrigin::start().await;
    let mut gateway = Running::start(server, origin.address);
    let mut caller = Caller::connect(gateway.address).await;
    caller.send(REQUEST).await;
    caller.read_until(FIRST).await;
    assert_eq!(gateway.process.signal_and_read_line("-TERM"), "draining");
    (origin, gateway, caller)
}

/// Returns the lines of standard error that are no log events.
fn messages(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| !line.starts_with("20")).collect()
}

#[tokio::test]
async fn drain_waits_for_stream_and_closes_its_connection() {
    let (origin, gateway, mut caller) = drain_stream("").await;
    origin.end_response();
    assert!(caller.read_to_end().await.ends_with(LAST.as_bytes()));
    let (code, stderr) = gateway.process.wait();
    assert_eq!((code, messages(&stderr)), (Some(0), vec![]), "{stderr}");
}

#[tokio::test]
async fn drain_refuses_new_connections() {
    let (origin, gateway, mut caller) = drain_stream("").await;
    // A connection in the backlog is reset when the listener closes.
    let mut refused = false;
    for _ in 0..1000 {
        refused = TcpStream::connect(gateway.address).await.is_err();
        if refused {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(refused);
    origin.end_response();
    assert!(caller.read_to_end().await.ends_with(LAST.as_bytes()));
}

#[tokio::test]
async fn drain_ends_at_once_when_no_request_is_in_flight() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("", origin.addr());
    let mut idle = Caller::connect(gateway.address).await;
    idle.request().await;
    let mut silent = Caller::connect(gateway.address).await;
    // The listener has accepted the silent connection, because it accepts in order.
    Caller::connect(gateway.address).await.request().await;
    let (code, stderr) = gateway.process.stop("-TERM");
    assert_eq!((code, messages(&stderr)), (Some(0), vec!["draining"]), "{stderr}");
    assert_eq!(idle.read_to_end().await, b"");
    assert_eq!(silent.read_to_end().await, b"");
}

#[tokio::test]
async fn drain_ends_when_head_timeout_ends_half_a_head() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("head_timeout = \"300ms\"", origin.addr());
    let mut caller = Caller::connect(gateway.address).await;
    caller.request().await;
    caller.send("GET /a HTTP/1.1\r\n").await;
    let (code, stderr) = gateway.process.stop("-TERM");
    assert_eq!((code, messages(&stderr)), (Some(0), vec!["draining"]), "{stderr}");
}

#[tokio::test]
async fn drain_ends_at_once_when_a_second_signal_arrives() {
    for signal in ["-TERM", "-INT"] {
        let (_origin, gateway, mut caller) = drain_stream("").await;
        let (code, stderr) = gateway.process.stop(signal);
        let expected = vec!["draining ended by a second signal"];
        assert_eq!((code, messages(&stderr)), (Some(0), expected), "{stderr}");
        assert!(!caller.read_to_end().await.ends_with(LAST.as_bytes()));
    }
}

#[tokio::test]
async fn drain_ends_when_drain_timeout_has_passed() {
    let (_origin, gateway, mut caller) = drain_stream("drain_timeout = \"300ms\"").await;
    let (code, stderr) = gateway.process.wait();
    let expected = vec!["draining timed out after 300ms"];
    assert_eq!((code, messages(&stderr)), (Some(0), expected), "{stderr}");
    assert!(!caller.read_to_end().await.ends_with(LAST.as_bytes()));
}

#[tokio::test]
async fn ready_endpoint_is_503_within_shutdown_delay() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let mut gateway = Running::start("shutdown_delay = \"1h\"", origin.addr());
    assert_eq!(gateway.process.request("GET", "/@/ready").await.0, 200);
    let line = gateway.process.signal_and_read_line("-TERM");
    assert_eq!(line, "not ready; accepting connections for 3600s");
    let (status, _, body) = gateway.process.request("GET", "/@/ready").await;
    assert_eq!((status.as_u16(), body.as_str()), (503, "shutting down\n"));
    // New connections and requests are still served.
    assert_eq!(gateway.process.request("GET", "/@/health").await.0, 200);
    assert_eq!(gateway.process.request("GET", "/a").await.0, 200);
    let (code, stderr) = gateway.process.stop("-TERM");
    let expected = vec!["shutdown delay ended by a second signal"];
    assert_eq!((code, messages(&stderr)), (Some(0), expected), "{stderr}");
}

#[tokio::test]
async fn drain_begins_when_shutdown_delay_has_passed() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Running::start("shutdown_delay = \"200ms\"", origin.addr());
    let mut idle = Caller::connect(gateway.address).await;
    idle.request().await;
    let (code, stderr) = gateway.process.stop("-TERM");
    let expected = vec!["not ready; accepting connections for 200ms", "draining"];
    assert_eq!((code, messages(&stderr)), (Some(0), expected), "{stderr}");
    assert_eq!(idle.read_to_end().await, b"");
}
