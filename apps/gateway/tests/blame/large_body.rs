//! A body above the replay limit is sent to another upstream if nothing of it was sent.

use std::net::TcpListener;

use crate::{caller::Caller, gateway_with_services, origin::Origin};

/// In half of the services, the first request meets the upstream that refuses connections.
const SERVICES: usize = 16;

/// Returns the URL of a server that refuses connections.
fn refusing_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn large_body_fails_over_when_an_upstream_refuses_connections() {
    let origin =
        Origin::responding("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let upstreams = [&*refusing_url(), &origin.url];
    let gateway = gateway_with_services(SERVICES, "body_limit = 1_000", &upstreams);
    let body = "x".repeat(100_000);
    for number in 0..SERVICES {
        let head = format!("POST /m{number}/x HTTP/1.1\r\ncontent-length: {}", body.len());
        let response = Caller::send(&gateway, &head, &body).response();
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
    assert_eq!(origin.requests(), SERVICES);
    let (_, log) = gateway.stop("-TERM");
    assert!(log.contains("2 attempts"), "{log}");
}
