//! The upgrade to a WebSocket, and the tunnel.

use std::io::{Read, Write};

use crate::{
    exchange::{Connection, balanced, gateway, gateway_with, head, status, values},
    origin::{Origin, write},
};

const HANDSHAKE: &str = "GET /a/x HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n";

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: BBBB\r\n\r\n";

/// Answers 101 with the first data, and echoes all data.
fn echo() -> Origin {
    Origin::answer(|_, stream| {
        write(stream, &format!("{SWITCH}first"));
        let mut buffer = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            let _ = stream.write_all(&buffer[..read]);
        }
    })
}

#[test]
fn websocket_passes_through() {
    let origin = echo();
    let gateway = gateway(&origin);
    let mut connection = Connection::open(&gateway);
    // The data after the head is the first of the tunnel.
    connection.send(format!("{HANDSHAKE}early"));
    let head = connection.read_head();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(values(&head, "upgrade"), ["websocket"]);
    assert_eq!(values(&head, "connection"), ["upgrade"]);
    assert_eq!(values(&head, "sec-websocket-accept"), ["BBBB"]);
    assert_eq!(connection.read(10), "firstearly");
    let long = "x".repeat(200_000);
    connection.send(&long);
    assert_eq!(connection.read(long.len()), long);
    let request = origin.only_request();
    assert_eq!(request.target(), "/base/x");
    assert_eq!(values(&request.head, "upgrade"), ["websocket"]);
    assert_eq!(values(&request.head, "connection"), ["upgrade"]);
    assert_eq!(values(&request.head, "sec-websocket-key"), ["AAAA"]);
}

#[cfg(unix)]
#[test]
fn websocket_passes_to_service_with_upstreams_and_survives_reload() {
    let origin = echo();
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let config = "[[service]]\nname = \"NAME\"\n[[service.upstream]]\nurl = \"URL\"\n";
    let config = config.replace("URL", &origin.url());
    std::fs::write(file.path(), config.replace("NAME", "a")).unwrap();
    let arguments = ["--config", file.path().to_str().unwrap()];
    let mut gateway = crate::support::GatewayProcess::start(&arguments);
    let mut connection = Connection::open(&gateway);
    connection.send(HANDSHAKE);
    assert!(connection.read_head().starts_with("HTTP/1.1 101 "));
    std::fs::write(file.path(), config.replace("NAME", "b")).unwrap();
    assert!(gateway.signal_and_read_line("-HUP").starts_with("reloaded "));
    assert_eq!(status(&gateway, HANDSHAKE), 404);
    connection.send("ping");
    assert_eq!(connection.read(9), "firstping");
}

#[test]
fn end_of_upstream_ends_tunnel_after_its_last_data() {
    let origin = Origin::answer(|_, stream| {
        write(stream, &format!("{SWITCH}bye"));
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
    let gateway = gateway(&origin);
    let mut connection = Connection::open(&gateway);
    connection.send(HANDSHAKE);
    assert!(connection.read_head().starts_with("HTTP/1.1 101 "));
    assert_eq!(connection.read_to_end(), "bye");
}

#[test]
fn tunnel_counts_as_in_flight_at_its_upstream() {
    let (one, two) = (echo(), echo());
    let gateway = balanced(&[&one, &two]);
    let mut tunnels = Vec::new();
    for pair in 1..=8 {
        for _ in 0..2 {
            let mut connection = Connection::open(&gateway);
            connection.send(HANDSHAKE);
            assert!(connection.read_head().starts_with("HTTP/1.1 101 "));
            tunnels.push(connection);
        }
        // The second of each pair goes to the upstream with fewer tunnels.
        assert_eq!((one.received().len(), two.received().len()), (pair, pair));
    }
}

#[test]
fn silent_tunnel_is_closed_after_idle_time() {
    let origin = echo();
    let gateway = gateway_with(&origin, "[forwarding]\ntunnel_idle = \"300ms\"\n", "");
    let mut connection = Connection::open(&gateway);
    connection.send(HANDSHAKE);
    assert!(connection.read_head().starts_with("HTTP/1.1 101 "));
    // The read ends because the gateway closes the connection.
    assert_eq!(connection.read_to_end(), "first");
}

#[test]
fn refused_upgrade_is_ordinary_response() {
    let origin = Origin::answer(|_, stream| {
        write(stream, "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno");
    });
    let gateway = gateway(&origin);
    let mut connection = Connection::open(&gateway);
    connection.send(HANDSHAKE);
    assert!(connection.read_head().starts_with("HTTP/1.1 426 "));
    assert_eq!(connection.read(2), "no");
    // No tunnel: the next request is another request.
    connection.send("GET /a/y HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(connection.read_head().starts_with("HTTP/1.1 426 "));
    assert_eq!(values(&origin.received()[1].head, "upgrade"), [""; 0]);
}

#[test]
fn switch_to_protocol_that_was_not_asked_for_gets_502() {
    let origin = Origin::answer(|request, stream| {
        let protocol = if request.target() == "/base/x" { "h2c" } else { "websocket" };
        write(stream, &SWITCH.replace("websocket", protocol));
    });
    let gateway = gateway(&origin);
    let other = head(&gateway, HANDSHAKE);
    assert!(other.starts_with("HTTP/1.1 502 "), "{other}");
    let unasked = head(&gateway, "POST /a/y HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert!(unasked.starts_with("HTTP/1.1 502 "), "{unasked}");
}

#[test]
fn upgrade_needs_get_of_http_1_1_with_connection_option() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for request in [
        HANDSHAKE.replace("keep-alive, Upgrade", "keep-alive"),
        HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"),
        HANDSHAKE.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"),
        HANDSHAKE.replace("Upgrade: WebSocket", "Upgrade: h2c"),
    ] {
        assert_eq!(status(&gateway, &request), 200, "{request}");
        let received = origin.received();
        assert_eq!(values(&received.last().unwrap().head, "upgrade"), [""; 0], "{request}");
    }
}
