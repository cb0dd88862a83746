//! Responses with ambiguous or invalid framing (RFC 9112).

use std::{io::Write, thread, time::Duration};

use crate::{
    ConfiguredGateway, config,
    raw_origin::{RawOrigin, call, read_head},
    support::GatewayProcess,
};

/// Returns the response of the gateway to a POST, which it sends once.
fn response_for(origin: &RawOrigin) -> String {
    let gateway = GatewayProcess::start(&["--upstream", &format!("m={}", origin.url())]);
    call(&gateway.url, "POST")
}

/// Asserts that a response of an upstream becomes a 502 with this cause.
fn assert_rejected(response: impl Into<Vec<u8>>, cause: &str) {
    let response = response.into();
    let origin = RawOrigin::responding(response.clone());
    let answer = response_for(&origin);
    let sent = String::from_utf8_lossy(&response);
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}\nfor {sent}");
    assert!(answer.contains(&format!("\"cause\":\"{cause}\"")), "{answer}\nfor {sent}");
    // An ambiguous connection must not be used again.
    origin.wait_until_connection_ends();
}

#[test]
fn response_is_rejected_when_lengths_conflict() {
    for lengths in ["content-length: 3\r\ncontent-length: 5", "content-length: 3, 5"] {
        let response = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhello");
        assert_rejected(response, "http_protocol_error");
    }
}

#[test]
fn response_is_rejected_when_header_section_is_invalid() {
    for line in ["a: b\r\n folded: c", "a: b\0c", "content-length: x", "content-length: -1", "a b"]
    {
        let response = format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        assert_rejected(response, "http_protocol_error");
    }
}

#[test]
fn response_is_rejected_when_it_switches_protocols_unasked() {
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    for headers in [upgrade, ""] {
        let response = format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\nhello");
        assert_rejected(response, "http_protocol_error");
    }
}

#[test]
fn response_is_rejected_when_transfer_coding_was_not_accepted() {
    for coding in
        ["gzip", "gzip, chunked", "chunked, chunked", "chunked\r\ntransfer-encoding: gzip"]
    {
        let head = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {coding}\r\n\r\n");
        assert_rejected(format!("{head}5\r\nhello\r\n0\r\n\r\n"), "http_response_transfer_coding");
    }
}

#[test]
fn chunked_body_is_whole_when_response_also_has_length() {
    for length in ["3", "0", "100", "5"] {
        let origin = RawOrigin::responding(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ntransfer-encoding: Chunked\r\n\r\n\
             5\r\nhello\r\n0\r\n\r\n"
        ));
        let balanced = ConfiguredGateway::start(&config(&origin.url(), ""));
        for answer in [response_for(&origin), call(&balanced.process.url, "POST")] {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(!answer.contains("content-length"), "{answer}");
            assert!(answer.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
        }
    }
}

#[test]
fn body_is_aborted_when_chunk_size_is_invalid() {
    for size in ["x", "-1", "10000000000000000", "0x5", ""] {
        let origin = RawOrigin::responding(format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n{size}\r\nhello\r\n0\r\n\r\n"
        ));
        let answer = response_for(&origin);
        assert!(!answer.ends_with("\r\n0\r\n\r\n"), "{answer}\nfor {size}");
        assert!(!answer.contains("hello"), "{answer}\nfor {size}");
    }
}

#[test]
fn interim_responses_are_skipped_however_many() {
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(10_000);
    let origin = RawOrigin::responding(format!(
        "{interim}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    ));
    let answer = response_for(&origin);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");
}

#[test]
fn attempt_ends_when_interim_responses_do_not() {
    let origin = RawOrigin::start(|connection, _| {
        read_head(connection);
        // hyper parses a faster flood for seconds in a debug build before it yields.
        while connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let url = format!("m={}", origin.url());
    let gateway = GatewayProcess::start(&["--timeout", "0.3", "--upstream", &url]);
    let answer = call(&gateway.url, "POST");
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    origin.wait_until_connection_ends();
}
