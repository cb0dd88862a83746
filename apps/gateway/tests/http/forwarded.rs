//! `X-Forwarded-*`, `Forwarded` and the address of the client.

use crate::{
    exchange::{gateway, gateway_with, status, values},
    origin::Origin,
};

const TRUST_LOOPBACK: &str =
    "[forwarding]\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\", \"::1/128\"]\n";

const FROM_PROXY: &str = "GET /a/x HTTP/1.1\r\nHost: inner:80\r\nX-Forwarded-For: 9.9.9.9\r\n\
    X-Forwarded-For: 8.8.8.8, 10.0.0.7\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 7.7.7.7\r\n\
    X-Forwarded-Host: app.example\r\nX-Forwarded-Prefix: /outer/\r\nX-Forwarded-Port: 443\r\n\
    Forwarded: for=9.9.9.9;proto=https\r\nConnection: x-forwarded-for\r\n\r\n";

#[test]
fn forwarded_fields_of_untrusted_caller_are_replaced() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    assert_eq!(status(&gateway, FROM_PROXY), 200);
    let head = origin.only_request().head;
    for (name, expected) in [
        ("x-forwarded-for", &["127.0.0.1"][..]),
        ("x-forwarded-proto", &["http"]),
        ("x-forwarded-host", &["inner:80"]),
        ("x-forwarded-prefix", &["/a"]),
        ("x-forwarded-port", &[]),
        ("x-real-ip", &[]),
        ("forwarded", &["for=127.0.0.1;host=\"inner:80\";proto=http"]),
    ] {
        assert_eq!(values(&head, name), expected, "{name}");
    }
}

#[test]
fn forwarded_fields_of_trusted_proxy_are_kept_and_extended() {
    let origin = Origin::start();
    let gateway = gateway_with(&origin, TRUST_LOOPBACK, "");
    assert_eq!(status(&gateway, FROM_PROXY), 200);
    let head = origin.only_request().head;
    for (name, expected) in [
        ("x-forwarded-for", "9.9.9.9, 8.8.8.8, 10.0.0.7, 127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example"),
        ("x-forwarded-prefix", "/outer/a"),
        ("x-forwarded-port", "443"),
        ("x-real-ip", "7.7.7.7"),
        ("forwarded", "for=9.9.9.9;proto=https, for=127.0.0.1;host=\"inner:80\";proto=http"),
    ] {
        assert_eq!(values(&head, name), [expected], "{name}");
    }
}

/// Returns the statuses of one request for each value of `X-Forwarded-For`.
fn limited(sections: &str, clients: &[&str]) -> Vec<u16> {
    let origin = Origin::start();
    let limit = "[limit]\nrequests_per_minute = 1\nburst = 2\n";
    let gateway = gateway_with(&origin, &format!("{sections}{limit}"), "");
    let get = |client| format!("GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {client}\r\n\r\n");
    clients.iter().map(|client| status(&gateway, get(client))).collect()
}

#[test]
fn rate_limit_is_that_of_client_behind_trusted_proxy() {
    let clients = ["9.9.9.1", "9.9.9.2", "9.9.9.1, 10.0.0.1", "9.9.9.3", "1.2.3.4, 9.9.9.1"];
    assert_eq!(limited(TRUST_LOOPBACK, &clients), [200, 200, 200, 200, 429]);
    // An untrusted caller cannot choose its address.
    assert_eq!(limited("", &clients[..3]), [200, 200, 429]);
}

#[test]
fn invalid_forwarding_section_is_reported_with_line_and_key() {
    for (text, expected) in [
        (
            "trusted_proxies = [\"10.0.0.0/33\"]",
            ":2: trusted_proxies: expected addresses or networks",
        ),
        ("trusted_proxies = [\"proxy\"]", ":2: trusted_proxies: expected addresses or networks"),
        ("trusted = []", ":2: unknown field `trusted`"),
        ("tunnel_idle = \"0s\"", ":2: tunnel_idle: expected a duration above 0s"),
    ] {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let service = "[[service]]\nname = \"a\"\nurl = \"http://h\"\n";
        std::fs::write(file.path(), format!("[forwarding]\n{text}\n{service}")).unwrap();
        let arguments = ["--config", file.path().to_str().unwrap(), "--listen", "127.0.0.1:0"];
        let output = crate::support::gateway(&arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}
