//! Idle connections to upstreams.

use std::{
    io::Write,
    sync::{Arc, Barrier},
    thread,
};

use crate::{
    ConfiguredGateway, config,
    raw_origin::{RawOrigin, call, read_head},
};

#[test]
fn idle_connection_is_closed_after_its_timeout() {
    let origin = RawOrigin::responding("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let settings = "[connections]\nidle_timeout = \"200ms\"";
    let gateway = ConfiguredGateway::start(&config(&origin.url(), settings));
    assert!(call(&gateway.process.url, "GET").starts_with("HTTP/1.1 200 "));
    origin.wait_until_connection_ends();
}

#[test]
fn connections_above_the_idle_limit_are_closed() {
    const REQUESTS: usize = 3;
    let all_received = Arc::new(Barrier::new(REQUESTS));
    let origin = RawOrigin::start(move |connection, _| {
        while read_head(connection) {
            all_received.wait();
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let settings = "[connections]\nidle_timeout = \"1h\"\nmax_idle_per_host = 1";
    let gateway = ConfiguredGateway::start(&config(&origin.url(), settings));
    thread::scope(|scope| {
        for _ in 0..REQUESTS {
            scope.spawn(|| assert!(call(&gateway.process.url, "GET").contains(" 200 ")));
        }
    });
    for _ in 1..REQUESTS {
        origin.wait_until_connection_ends();
    }
    assert!(origin.finished.try_recv().is_err(), "expected one connection to stay open");
}
