//! Interim responses, and responses without content.

use crate::{
    exchange::{Connection, gateway, values},
    origin::{Origin, write},
};

#[test]
fn caller_that_expects_100_gets_it_before_it_sends_body() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let mut connection = Connection::open(&gateway);
    connection.send(
        "POST /a/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\
         Connection: close\r\n\r\n",
    );
    assert_eq!(connection.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
    connection.send("hi");
    let response = connection.read_to_end();
    assert!(
        response.starts_with("HTTP/1.1 200 ") && response.ends_with("\r\n\r\nok"),
        "{response}"
    );
    assert_eq!(origin.only_request().body, "hi");
}

#[test]
fn refused_request_gets_no_100() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let mut connection = Connection::open(&gateway);
    connection.send(
        "POST /a/../x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    let head = connection.read_head();
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert!(origin.received().is_empty());
}

#[test]
fn interim_responses_are_dropped() {
    let origin = Origin::answer(|_, stream| {
        write(
            stream,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        );
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let gateway = gateway(&origin);
    let mut connection = Connection::open(&gateway);
    connection.send("GET /a/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let response = connection.read_to_end();
    assert!(
        response.starts_with("HTTP/1.1 200 ") && response.ends_with("\r\n\r\nok"),
        "{response}"
    );
    assert_eq!(values(&response, "link"), [""; 0]);
}

#[test]
fn head_204_and_304_have_no_body() {
    let origin = Origin::answer(|request, stream| {
        let response = match request.target() {
            "/base/204" => "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
            "/base/304" => "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        };
        write(stream, response);
    });
    let gateway = gateway(&origin);
    for (method, path) in [("HEAD", "200"), ("GET", "204"), ("GET", "304"), ("HEAD", "304")] {
        let mut connection = Connection::open(&gateway);
        connection
            .send(format!("{method} /a/{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        let response = connection.read_to_end();
        assert!(response.starts_with(&format!("HTTP/1.1 {path} ")), "{response}");
        assert!(response.ends_with("\r\n\r\n"), "{response}");
        assert_eq!(response.matches("\r\n\r\n").count(), 1, "{response}");
        assert_eq!(values(&response, "transfer-encoding"), [""; 0]);
        let length = if path == "200" { vec!["5"] } else { vec![] };
        assert_eq!(values(&response, "content-length"), length, "{response}");
    }
}
