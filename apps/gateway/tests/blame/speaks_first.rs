//! Ports whose server is not HTTP/1.1, and speaks before the request.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use crate::{caller::Caller, gateway};

/// A SETTINGS frame, which an HTTP/2 server sends first.
const HTTP_2: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d";

/// Starts a server that sends a greeting to each connection, and reads to its end.
fn greeting(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            thread::spawn(move || {
                let _ = connection.write_all(bytes);
                let _ = connection.read_to_end(&mut Vec::new());
            });
        }
    });
    url
}

#[test]
fn port_is_reported_as_protocol_error_when_its_server_speaks_first() {
    for bytes in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"J\0\0\0\n8.4.0\0xxxxxxxxxxxxxxxx", HTTP_2] {
        let gateway = gateway("", &[&greeting(bytes)]);
        let response = Caller::complete(&gateway, "hi").response();
        assert!(response.starts_with("HTTP/1.1 502 "), "{response}");
        assert!(response.contains("\"cause\":\"http_protocol_error\""), "{response}");
        let (_, log) = gateway.stop("-TERM");
        // The greeting arrives before the request or after it.
        let is_named =
            ["(server spoke first,", "(server speaks HTTP/2,"].iter().any(|it| log.contains(it));
        assert!(is_named || bytes != HTTP_2, "{log}");
    }
}
