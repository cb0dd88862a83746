//! `Host`, and the form of the request target.

use crate::{
    exchange::{gateway, head, status, status_of, values},
    origin::Origin,
};

#[test]
fn missing_repeated_or_invalid_host_gets_400() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for fields in [
        "",
        "Host: h\r\nHost: h\r\n",
        "Host: h\r\nHost: i\r\n",
        "Host:\r\n",
        "Host: a b\r\n",
        "Host: u@h\r\n",
        "Host: h/x\r\n",
        "Host: h:port\r\n",
        "Host: h:70000\r\n",
        "Host: http://h\r\n",
        "Host: [::1\r\n",
        "Host: [x]\r\n",
        "Host: h, i\r\n",
        "Host: h\\i\r\n",
        "Host: h?x\r\n",
        "Host: h#x\r\n",
        "Host: :80\r\n",
    ] {
        for path in ["/a/x", "/", "/metrics", "/none"] {
            let status = status(&gateway, format!("GET {path} HTTP/1.1\r\n{fields}\r\n"));
            assert_eq!(status, 400, "{path} {fields}");
        }
    }
    assert!(origin.received().is_empty());
    for host in ["h", "h:80", "[::1]:80", "127.0.0.1", "H.example."] {
        let request = format!("GET /a/x HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(status(&gateway, request), 200, "{host}");
    }
    // HTTP/1.0 has no Host.
    assert_eq!(status(&gateway, "GET /a/x HTTP/1.0\r\n\r\n"), 200);
    let received = origin.received();
    assert!(received.iter().all(|it| values(&it.head, "host") == [origin.authority()]));
    assert_eq!(values(&received[1].head, "x-forwarded-host"), ["h:80"]);
    assert_eq!(values(&received[5].head, "x-forwarded-host"), [""; 0]);
}

#[test]
fn authority_of_absolute_form_replaces_host() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let request = "GET http://other.example:81/a/x?y HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(status(&gateway, request), 200);
    let received = origin.only_request();
    assert_eq!(received.target(), "/base/x?y");
    assert_eq!(values(&received.head, "x-forwarded-host"), ["other.example:81"]);
    for target in ["http://u@h/a/x", "http://u:p@h/a/x", "ftp://h/a/x", "http://h:x/a/x"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(status(&gateway, request), 400, "{target}");
    }
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn connect_and_asterisk_are_refused() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for (line, expected) in [
        ("CONNECT h:443", 501),
        ("CONNECT /a/x", 501),
        ("OPTIONS *", 400),
        ("GET *", 400),
        ("GET h:443", 400),
    ] {
        let head = head(&gateway, format!("{line} HTTP/1.1\r\nHost: h:443\r\n\r\n"));
        assert_eq!(status_of(&head), expected, "{line}");
    }
    assert!(origin.received().is_empty());
}

#[test]
fn refused_request_is_logged_with_reason() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    assert_eq!(status(&gateway, "GET /a/SECRET HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
    let (_, log) = gateway.stop("-TERM");
    assert!(log.contains("refused with 400 Bad Request: "), "{log}");
    assert!(!log.contains("SECRET"), "{log}");
}
