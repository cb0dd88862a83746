//! Errors in responses with the status 200.

use crate::{
    exchange::{Connection, balanced_with, gateway_with, status_of, values},
    origin::{Answer, Origin, write},
    support::GatewayProcess,
};

const KEYS: &str = "dialect = \"anthropic\"\npolicy = { any_method = true, idle = \"500ms\" }";

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

const OVERLOADED: &str = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\
                          \"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";

const ANSWER: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\n";

fn send_stream(stream: &mut std::net::TcpStream, events: &str) {
    write(stream, &format!("{STREAM}content-length: {}\r\n\r\n{events}", events.len()));
}

fn answering() -> Origin {
    Origin::answer(|_, stream| send_stream(stream, ANSWER))
}

/// Sends a request, whose path makes it unique.
fn post(gateway: &GatewayProcess, number: usize) -> String {
    let mut connection = Connection::open(gateway);
    connection.send(format!(
        "POST /a/v1/messages?n={number} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
         Content-Length: 2\r\n\r\n{{}}"
    ));
    connection.read_to_end()
}

#[test]
fn other_upstream_answers_when_stream_begins_with_error() {
    let failing = Origin::answer(|_, stream| send_stream(stream, OVERLOADED));
    let healthy = answering();
    let gateway = balanced_with(&[&failing, &healthy], KEYS);
    for number in 0..20 {
        let response = post(&gateway, number);
        assert!(response.contains("content_block_delta"), "{number}: {response}");
    }
    assert!(!failing.received().is_empty(), "the failing upstream was never used");
}

#[test]
fn caller_gets_reported_error_with_its_status_when_no_upstream_answers() {
    let failing = Origin::answer(|_, stream| send_stream(stream, OVERLOADED));
    let gateway = gateway_with(&failing, "", KEYS);
    let response = post(&gateway, 0);
    assert_eq!(status_of(&response), 503, "{response}");
    assert_eq!(values(&response, "content-type"), ["application/json"]);
    assert_eq!(values(&response, "x-should-retry"), ["false"]);
    assert!(response.contains("\"message\":\"Overloaded\""), "{response}");
}

#[test]
fn reported_error_that_is_not_json_is_plain_text() {
    let failing = Origin::answer(|_, stream| send_stream(stream, "event: error\ndata: <busy>\n\n"));
    let gateway = gateway_with(&failing, "", KEYS);
    let response = post(&gateway, 0);
    assert_eq!(values(&response, "content-type"), ["text/plain; charset=utf-8"], "{response}");
    assert!(response.ends_with("<busy>"), "{response}");
}

/// Sends a stream that is not complete.
fn send_broken_stream(stream: &mut std::net::TcpStream, is_chunked: bool) {
    let (framing, events) = if is_chunked {
        ("transfer-encoding: chunked", format!("{:x}\r\n{ANSWER}\r\n", ANSWER.len()))
    } else {
        ("content-length: 99", ANSWER.to_owned())
    };
    write(stream, &format!("{STREAM}{framing}\r\n\r\n{events}"));
}

fn stall(stream: &mut std::net::TcpStream, is_chunked: bool) {
    send_broken_stream(stream, is_chunked);
    std::thread::sleep(std::time::Duration::from_secs(5));
}

fn break_off(stream: &mut std::net::TcpStream, is_chunked: bool) {
    send_broken_stream(stream, is_chunked);
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

#[test]
fn upstream_whose_streams_stall_or_break_off_is_left_within_five_failures() {
    let broken: [(&str, Answer); 4] = [
        ("stalls", |_, stream| stall(stream, false)),
        ("breaks off", |_, stream| break_off(stream, false)),
        // Such a stream ends with an error event, because its length is open.
        ("stalls, chunked", |_, stream| stall(stream, true)),
        ("breaks off, chunked", |_, stream| break_off(stream, true)),
    ];
    for (name, answer) in broken {
        let broken = Origin::answer(answer);
        let gateway = gateway_with(&broken, "", KEYS);
        let complete = (0..12).filter(|number| {
            let response = post(&gateway, *number);
            status_of(&response) == 200
        });
        assert_eq!(complete.count(), 5, "{name}");
        assert_eq!(broken.received().len(), 5, "{name}");
    }
}

#[test]
fn log_line_of_stalled_stream_names_the_timeout() {
    let stalling = Origin::answer(|_, stream| stall(stream, true));
    let mut gateway = gateway_with(&stalling, "", KEYS);
    post(&gateway, 0);
    let line = loop {
        let line = gateway.read_stderr_line();
        if line.contains("POST /a/v1/messages") {
            break line;
        }
    };
    assert!(line.contains("200, then connection read timeout"), "{line}");
}
