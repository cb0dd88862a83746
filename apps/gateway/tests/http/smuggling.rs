//! Requests that two servers could read differently.
//!
//! Each case is one request by RFC 9112, or none. Its payload names `/a/hidden`, which must never be
//! the target of a request at the origin. After each case, the caller sends another request on the
//! same connection, so bytes that the gateway left over would precede it.

use crate::{
    exchange::{Connection, gateway, status_of},
    origin::{Origin, Received},
};

const LAST: &str = "GET /a/last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

const HIDDEN: &str = "GET /a/hidden HTTP/1.1\r\nHost: h\r\n\r\n";

/// The request was refused. By a 400, hyper also ends the connection.
const REFUSED: &[u16] = &[400, 501];
/// The request was forwarded as one request.
const FORWARDED: &[u16] = &[200];
const NOT_FOUND: &[u16] = &[400, 404];

/// Sends each request to an own connection, and checks the status and the requests at the origin.
fn check(cases: &[(&str, String, &[u16])]) {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for (name, request, expected) in cases {
        let before = origin.received().len();
        let mut connection = Connection::open(&gateway);
        connection.send(request);
        let head = connection.read_head();
        connection.send(LAST);
        connection.read_to_end();
        let status = status_of(&head);
        assert!(expected.contains(&status), "{name}: {head}");
        let received = origin.received().split_off(before);
        let targets: Vec<_> = received.iter().map(Received::target).collect();
        let forwarded = usize::from(status == 200);
        let count = targets.iter().filter(|&&target| target != "/base/last").count();
        assert_eq!(count, forwarded, "{name}: {targets:?}");
        assert!(targets.iter().all(|target| !target.contains("hidden")), "{name}: {targets:?}");
        assert!(targets.len() - count <= 1, "{name}: {targets:?}");
    }
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /a/x HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}")
}

fn get(line: &str) -> String {
    format!("{line}\r\nHost: h\r\n\r\n")
}

/// A chunked body that ends before the hidden request.
fn chunked_then_hidden() -> String {
    format!("0\r\n\r\n{HIDDEN}")
}

#[test]
fn transfer_encoding_with_content_length_hides_no_request() {
    let te = "Transfer-Encoding: chunked\r\n";
    // By the coding, the hidden request is the body of no request, so these close or refuse.
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    check(&[
        ("CL then TE", post(&format!("Content-Length: 4\r\n{te}"), &chunk), &[200, 400]),
        ("TE then CL", post(&format!("{te}Content-Length: 4\r\n"), &chunk), &[200, 400]),
        ("TE then CL 0", post(&format!("{te}Content-Length: 0\r\n"), &chunk), &[200, 400]),
        (
            "TE between CLs",
            post(&format!("Content-Length: 4\r\n{te}Content-Length: 5\r\n"), &chunk),
            &[200, 400],
        ),
        (
            "CL listed in Connection",
            post("Connection: content-length\r\nContent-Length: 49\r\n", HIDDEN_BODY),
            FORWARDED,
        ),
        (
            "TE listed in Connection",
            post(&format!("Connection: transfer-encoding\r\n{te}"), &chunk),
            FORWARDED,
        ),
    ]);
}

/// A body of 49 bytes.
const HIDDEN_BODY: &str = "GET /a/hidden HTTP/1.1\r\nHost: h\r\nX: 123456789\r\n\r\n";

#[test]
fn connection_ends_after_request_with_both_lengths() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for fields in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
    ] {
        let mut connection = Connection::open(&gateway);
        connection.send(post(fields, "0\r\n\r\n"));
        connection.send(LAST);
        let responses = connection.read_to_end();
        assert_eq!(responses.matches("HTTP/1.1 ").count(), 1, "{responses}");
    }
    let received = origin.received();
    assert!(received.iter().all(|it| it.target() == "/base/x"), "{received:?}");
}

#[test]
fn transfer_encoding_in_other_forms_is_refused() {
    let case = |value: &str| post(&format!("{value}\r\n"), &chunked_then_hidden());
    check(&[
        ("other coding", case("Transfer-Encoding: xchunked"), REFUSED),
        ("identity", case("Transfer-Encoding: identity"), REFUSED),
        ("chunked first", case("Transfer-Encoding: chunked, identity"), REFUSED),
        ("chunked twice", case("Transfer-Encoding: chunked, chunked"), REFUSED),
        ("gzip", case("Transfer-Encoding: gzip, chunked"), REFUSED),
        ("two fields", case("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), REFUSED),
        (
            "two chunked fields",
            case("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            REFUSED,
        ),
        ("parameter", case("Transfer-Encoding: chunked;a=b"), REFUSED),
        ("quoted", case("Transfer-Encoding: \"chunked\""), REFUSED),
        ("vertical tab", case("Transfer-Encoding: \u{b}chunked"), REFUSED),
        ("no value", case("Transfer-Encoding:"), REFUSED),
        ("space before colon", case("Transfer-Encoding : chunked"), REFUSED),
        ("tab before colon", case("Transfer-Encoding\t: chunked"), REFUSED),
        ("space before name", case(" Transfer-Encoding: chunked"), REFUSED),
        ("folded", case("Transfer-Encoding:\r\n chunked"), REFUSED),
        ("folded other field", case("X: a\r\n Transfer-Encoding: chunked"), REFUSED),
        ("bare CR", case("X: a\rTransfer-Encoding: chunked"), REFUSED),
        ("NUL", case("Transfer-Encoding: chunked\0"), REFUSED),
        ("NUL in name", case("Transfer-Encoding\0: chunked"), REFUSED),
        ("HTTP/1.0", get("POST /a/x HTTP/1.0\r\nTransfer-Encoding: chunked"), REFUSED),
    ]);
}

#[test]
fn content_length_in_other_forms_is_refused() {
    let case = |value: &str| post(&format!("{value}\r\n"), HIDDEN);
    check(&[
        ("different", case("Content-Length: 0\r\nContent-Length: 5"), REFUSED),
        ("list", case("Content-Length: 0, 0"), REFUSED),
        ("different list", case("Content-Length: 5, 0"), REFUSED),
        ("negative", case("Content-Length: -1"), REFUSED),
        ("plus", case("Content-Length: +5"), REFUSED),
        ("hexadecimal", case("Content-Length: 0x5"), REFUSED),
        ("fraction", case("Content-Length: 5.0"), REFUSED),
        ("empty", case("Content-Length:"), REFUSED),
        ("two numbers", case("Content-Length: 5 5"), REFUSED),
        ("overflow", case("Content-Length: 18446744073709551616"), &[400, 413, 431, 501]),
        ("space before colon", case("Content-Length : 0"), REFUSED),
        ("folded", case("Content-Length:\r\n 5"), REFUSED),
        ("leading line", format!(" \r\n{}", case("Content-Length: 0")), REFUSED),
        ("underscore", post("Content_Length: 49\r\n", ""), FORWARDED),
        (
            "same twice",
            post("Content-Length: 49\r\nContent-Length: 49\r\n", HIDDEN_BODY),
            FORWARDED,
        ),
        (
            "body of GET",
            format!("GET /a/x HTTP/1.1\r\nHost: h\r\nContent-Length: 49\r\n\r\n{HIDDEN_BODY}"),
            FORWARDED,
        ),
    ]);
}

#[test]
fn malformed_chunks_hide_no_request() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for chunk in [
        "10000000000000000\r\n",
        "ffffffffffffffff0\r\n",
        "-1\r\n",
        "+2\r\nhi\r\n",
        "0x2\r\nhi\r\n",
        "\r\nhi\r\n",
        "2\r\nhiXX",
        "2\rhi\r\n",
        "2;a\nb\r\nhi\r\n",
        "g\r\n",
        "2 2\r\nhi\r\n",
        "2\r\nhi\r\n0\r\nbad trailer\r\n\r\n",
    ] {
        let mut connection = Connection::open(&gateway);
        connection
            .send(post("Transfer-Encoding: chunked\r\n", &format!("{chunk}0\r\n\r\n{HIDDEN}")));
        let head = connection.read_head();
        assert!(!head.starts_with("HTTP/1.1 2"), "{chunk:?}: {head}");
    }
    check(&[
        (
            "extension",
            post("Transfer-Encoding: chunked\r\n", "2;a=\"b\"\r\nhi\r\n0;c\r\n\r\n"),
            FORWARDED,
        ),
        ("zeros", post("Transfer-Encoding: chunked\r\n", "0002\r\nhi\r\n000\r\n\r\n"), FORWARDED),
        (
            "trailer",
            post("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 9\r\n\r\n"),
            FORWARDED,
        ),
    ]);
    let targets: Vec<_> = origin.received().iter().map(|it| it.target().to_owned()).collect();
    assert!(targets.is_empty(), "{targets:?}");
}

#[test]
fn malformed_lines_are_refused() {
    check(&[
        ("no version", "GET /a/x\r\n\r\n".into(), REFUSED),
        ("HTTP/0.9", get("GET /a/x HTTP/0.9"), REFUSED),
        ("HTTP/1.2", get("GET /a/x HTTP/1.2"), REFUSED),
        ("lower-case version", get("GET /a/x http/1.1"), REFUSED),
        ("two spaces", get("GET  /a/x HTTP/1.1"), REFUSED),
        ("space in target", get("GET /a/x y HTTP/1.1"), REFUSED),
        ("tab", get("GET\t/a/x\tHTTP/1.1"), REFUSED),
        ("method with colon", get("GE:T /a/x HTTP/1.1"), REFUSED),
        ("control byte in target", get("GET /a/\u{1}x HTTP/1.1"), REFUSED),
        ("no colon", get("GET /a/x HTTP/1.1\r\nX"), REFUSED),
        ("no name", get("GET /a/x HTTP/1.1\r\n: x"), REFUSED),
        ("name with space", get("GET /a/x HTTP/1.1\r\nX Y: x"), REFUSED),
        ("bare line feeds", "GET /a/x HTTP/1.1\nHost: h\n\r\n".into(), FORWARDED),
        (
            "HTTP/2 preface later",
            format!("{}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", get("GET /a/x HTTP/1.1")),
            FORWARDED,
        ),
    ]);
}

#[test]
fn upgrade_to_h2c_opens_no_tunnel() {
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    check(&[
        ("h2c", get(&format!("GET /a/x HTTP/1.1\r\n{h2c}Upgrade: h2c")), FORWARDED),
        ("h2", get(&format!("GET /a/x HTTP/1.1\r\n{h2c}Upgrade: h2")), FORWARDED),
        ("TLS", get("GET /a/x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2"), FORWARDED),
        (
            "websocket",
            get("GET /a/x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket"),
            FORWARDED,
        ),
    ]);
}

#[test]
fn target_reaches_no_other_host_and_no_endpoint_of_the_gateway() {
    check(&[
        ("other host", get("GET http://127.0.0.1:1/a/x HTTP/1.1"), FORWARDED),
        ("two slashes", get("GET //127.0.0.1:1/a/x HTTP/1.1"), NOT_FOUND),
        ("user", get("GET /@127.0.0.1:1/x HTTP/1.1"), NOT_FOUND),
        ("user in service", get("GET /a@127.0.0.1:1/x HTTP/1.1"), NOT_FOUND),
        ("port in service", get("GET /a:1/x HTTP/1.1"), NOT_FOUND),
        ("user in target", get("GET http://u@h/a/x HTTP/1.1"), REFUSED),
        ("host in service path", get("GET /a/@127.0.0.1:1/x HTTP/1.1"), FORWARDED),
        ("two slashes in service path", get("GET /a//127.0.0.1:1/x HTTP/1.1"), FORWARDED),
        ("URL in service path", get("GET /a/http://127.0.0.1:1/x HTTP/1.1"), FORWARDED),
        ("control endpoint below service", get("GET /a/@/events HTTP/1.1"), FORWARDED),
        ("control endpoint", get("GET /a/../@/events HTTP/1.1"), REFUSED),
        ("encoded control endpoint", get("GET /a/%2e%2e/@/events HTTP/1.1"), REFUSED),
        ("encoded slash", get("GET /a%2f..%2fmetrics HTTP/1.1"), NOT_FOUND),
        ("metrics", get("GET /a/../metrics HTTP/1.1"), REFUSED),
        ("metrics by backslash", get("GET /a\\..\\metrics HTTP/1.1"), NOT_FOUND),
        ("metrics with parameters", get("GET /a/..;/metrics HTTP/1.1"), REFUSED),
        ("service through metrics", get("GET /metrics/../a/x HTTP/1.1"), NOT_FOUND),
        ("service through encoded dots", get("GET /x/%2e%2e/a/x HTTP/1.1"), NOT_FOUND),
        ("fragment", get("GET /a/x#/../hidden HTTP/1.1"), &[200, 400]),
        ("upper case", get("GET /A/x HTTP/1.1"), NOT_FOUND),
        ("encoded name", get("GET /%61/x HTTP/1.1"), NOT_FOUND),
        ("no slash", get("GET a/x HTTP/1.1"), REFUSED),
        ("backslash", get("GET \\a\\x HTTP/1.1"), REFUSED),
        ("CONNECT", get("CONNECT 127.0.0.1:1 HTTP/1.1"), REFUSED),
        ("asterisk", get("OPTIONS * HTTP/1.1"), REFUSED),
        ("two hosts", get("GET /a/x HTTP/1.1\r\nHost: i"), REFUSED),
        ("host with path", "GET /a/x HTTP/1.1\r\nHost: h/a\r\n\r\n".into(), REFUSED),
        ("host with line feed", "GET /a/x HTTP/1.1\r\nHost: h\n i\r\n\r\n".into(), REFUSED),
    ]);
}
