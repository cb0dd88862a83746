//! Hop-by-hop fields.

use crate::{
    exchange::{balanced, gateway, head, status, values},
    origin::{Origin, write},
};

#[test]
fn idempotency_key_listed_in_connection_makes_no_post_repeatable() {
    let origin = Origin::answer(|_, stream| {
        write(stream, "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n");
    });
    let post = |connection: &str| {
        format!(
            "POST /a/x HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k\r\n{connection}\
             Content-Length: 2\r\n\r\nhi"
        )
    };
    for gateway in [gateway(&origin), balanced(&[&origin])] {
        let before = origin.received().len();
        assert_eq!(status(&gateway, post("Connection: Idempotency-Key\r\n")), 503);
        let received = origin.received().split_off(before);
        assert_eq!(received.len(), 1, "{received:?}");
        assert_eq!(values(&received[0].head, "idempotency-key"), [""; 0]);
        assert_eq!(received[0].body, "hi");
        // The same request without the option is retried, with the key.
        assert_eq!(status(&gateway, post("")), 503);
        let received = origin.received().split_off(before + 1);
        assert!(received.len() > 1, "{received:?}");
        assert!(received.iter().all(|it| values(&it.head, "idempotency-key") == ["k"]));
    }
}

#[test]
fn listed_fields_are_removed_except_end_to_end_fields() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let request = "POST /a/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nAuthorization: secret\r\n\
                   Cache-Control: no-cache\r\nX-Hop: 1\r\nX-End: 2\r\nKeep-Alive: 5\r\n\
                   Proxy-Authorization: p\r\nProxy-Connection: close\r\nTE: gzip, trailers;q=1\r\n\
                   Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\
                   Connection: Upgrade, HTTP2-Settings, authorization, host\r\n\
                   Connection: content-length , cache-control,x-hop, not a token\r\n\r\nhi";
    assert_eq!(status(&gateway, request), 200);
    let received = origin.only_request();
    for removed in [
        "authorization",
        "x-hop",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "upgrade",
        "http2-settings",
        "connection",
        "transfer-encoding",
    ] {
        assert_eq!(values(&received.head, removed), [""; 0], "{removed}");
    }
    assert_eq!(values(&received.head, "content-length"), ["2"]);
    assert_eq!(values(&received.head, "cache-control"), ["no-cache"]);
    assert_eq!(values(&received.head, "host"), [origin.authority()]);
    assert_eq!(values(&received.head, "x-forwarded-host"), ["h"]);
    assert_eq!(values(&received.head, "x-end"), ["2"]);
    assert_eq!(received.body, "hi");
}

#[test]
fn te_trailers_is_kept_and_trailers_pass_in_both_directions() {
    let origin = Origin::answer(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n";
        write(stream, &format!("{head}2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n"));
    });
    let gateway = gateway(&origin);
    let mut connection = crate::exchange::Connection::open(&gateway);
    connection.send(
        "POST /a/x HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: x-md5\r\n\
         Connection: close, TE\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-md5: 9\r\n\r\n",
    );
    let response = connection.read_to_end();
    assert!(response.ends_with("2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n"), "{response}");
    let received = origin.only_request();
    assert_eq!(values(&received.head, "te"), ["trailers"]);
    assert_eq!(values(&received.head, "connection"), ["te"]);
    assert_eq!((received.body.as_str(), received.trailers.as_str()), ("hi", "x-md5: 9\r\n"));
}

#[test]
fn hop_by_hop_fields_of_response_are_removed() {
    let origin = Origin::answer(|_, stream| {
        write(
            stream,
            "HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\nKeep-Alive: 5\r\n\
             Via: 1.1 cdn\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        );
    });
    let gateway = gateway(&origin);
    let response = head(&gateway, "GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.0 front\r\n\r\n");
    for removed in ["connection", "x-hop", "keep-alive", "proxy-authenticate"] {
        assert_eq!(values(&response, removed), [""; 0], "{removed}");
    }
    assert_eq!(values(&response, "x-end"), ["2"]);
    assert_eq!(values(&response, "via"), ["1.1 cdn", "1.1 seawall-gateway"]);
    let via = origin.only_request().head;
    assert_eq!(values(&via, "via"), ["1.0 front", "1.1 seawall-gateway"]);
}

#[test]
fn max_forwards_of_options_is_decremented_and_trace_is_refused() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let send = |method: &str, fields: &str| {
        head(&gateway, format!("{method} /a/x HTTP/1.1\r\nHost: h\r\n{fields}\r\n"))
    };
    assert!(send("OPTIONS", "Max-Forwards: 3\r\n").starts_with("HTTP/1.1 200 "));
    assert_eq!(values(&origin.only_request().head, "max-forwards"), ["2"]);
    let last = send("OPTIONS", "Max-Forwards: 0\r\n");
    assert!(last.starts_with("HTTP/1.1 204 "), "{last}");
    assert!(values(&last, "allow")[0].contains("GET"), "{last}");
    for invalid in ["Max-Forwards: -1\r\n", "Max-Forwards: 1\r\nMax-Forwards: 1\r\n"] {
        assert!(send("OPTIONS", invalid).starts_with("HTTP/1.1 400 "));
    }
    let trace = send("TRACE", "Max-Forwards: 3\r\n");
    assert!(trace.starts_with("HTTP/1.1 405 "), "{trace}");
    assert_eq!(values(&trace, "allow").len(), 1);
    assert_eq!(origin.received().len(), 1);
}
