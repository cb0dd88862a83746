//! A caller that ends its upload early says nothing about the upstream.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::{Arc, Barrier},
};

use serde_json::{Value, json};

use crate::{LIMIT, caller::Caller, gateway, origin::Origin, support::GatewayProcess, wait_until};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Returns the counts of the last minute: succeeded, recovered, failed, rejected.
fn counts(gateway: &GatewayProcess) -> Value {
    let address = gateway.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(stream, "GET /@/events HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
    let snapshot: Value = serde_json::from_str(&data.unwrap()).unwrap();
    snapshot["upstreams"][0]["minute"].clone()
}

#[test]
fn broken_upload_is_no_failure_of_the_upstream() {
    let origin = Origin::responding(OK);
    let gateway = gateway("any_method = true\nopen_after = 1", &[&origin.url]);
    for _ in 0..3 {
        let caller = Caller::post(&gateway, 100, "hello");
        origin.wait_for_head();
        caller.break_off();
    }
    let response = Caller::complete(&gateway, "hi").response();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert_eq!(origin.requests(), 4);
    assert_eq!(counts(&gateway), json!([1, 0, 0, 0]));
}

#[test]
fn broken_upload_causes_no_cooldown_when_another_upstream_is_available() {
    let is_busy = Arc::new(Barrier::new(2));
    let first = Origin::responding(OK);
    let busy = Arc::clone(&is_busy);
    let second = Origin::start(move |connection| {
        busy.wait();
        let _ = connection.write_all(OK.as_bytes());
    });
    let gateway = gateway("any_method = true", &[&first.url, &second.url]);
    // The balancer chooses the upstream with fewer requests in flight, so one stays in flight at the
    // second upstream.
    let held = loop {
        let caller = Caller::complete(&gateway, "held");
        wait_until(|| first.requests() + second.requests() > 0);
        if second.requests() == 1 {
            break caller;
        }
        caller.response();
        first.forget_requests();
    };
    let caller = Caller::post(&gateway, 100, "hello");
    wait_until(|| first.requests() == 1);
    caller.break_off();
    let response = Caller::complete(&gateway, "hi").response();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert_eq!((first.requests(), second.requests()), (2, 1));
    is_busy.wait();
    assert!(held.response().starts_with("HTTP/1.1 200 "));
}
