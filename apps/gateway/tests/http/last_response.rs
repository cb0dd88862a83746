//! The response of a call whose retry meets an open circuit.

use crate::{
    exchange::{Connection, gateway_with, head, status_of, values},
    origin::{Origin, write},
};

const REQUEST: &str = "GET /a/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[test]
fn caller_gets_response_of_upstream_when_retry_meets_open_circuit() {
    let origin = Origin::answer(|_, stream| {
        write(
            stream,
            "HTTP/1.1 502 Bad Gateway\r\nx-origin: a\r\ncontent-type: text/plain\r\n\
             content-length: 15\r\n\r\ndatabase is off",
        );
    });
    let gateway = gateway_with(&origin, "", "policy = { open_after = 1 }");
    let mut connection = Connection::open(&gateway);
    connection.send(REQUEST);
    let response = connection.read_to_end();
    assert_eq!(status_of(&response), 502, "{response}");
    assert_eq!(values(&response, "x-origin"), ["a"]);
    assert!(response.ends_with("\r\n\r\ndatabase is off"), "{response}");
    assert_eq!(origin.received().len(), 1);
    // The next call has no response of the upstream.
    assert_eq!(status_of(&head(&gateway, REQUEST)), 503);
}

#[test]
fn caller_gets_problem_when_failed_body_is_too_long_to_keep() {
    let origin = Origin::answer(|_, stream| {
        let body = "x".repeat(20_000);
        write(stream, &format!("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 20000\r\n\r\n{body}"));
    });
    let gateway = gateway_with(&origin, "", "policy = { open_after = 1 }");
    let head = head(&gateway, REQUEST);
    assert_eq!(status_of(&head), 502, "{head}");
    assert_eq!(values(&head, "content-type"), ["application/problem+json"]);
}
