//! Callers that repeat a failed request do not multiply the requests at the upstream.

use crate::{caller::Caller, gateway, origin::Origin};

/// Sends a POST as a client with its own API key.
fn response_for(gateway: &crate::support::GatewayProcess, key: &str, body: &str) -> String {
    let length = body.len();
    let head =
        format!("POST /m0/x HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-length: {length}");
    Caller::send(gateway, &head, body).response()
}

#[test]
fn repetition_is_rejected_when_all_attempts_have_failed() {
    for status in [408, 409, 429, 500, 502] {
        let origin = Origin::start(move |connection| {
            use std::io::Write;
            let head = format!("HTTP/1.1 {status} Failed\r\nconnection: close");
            let _ = write!(connection, "{head}\r\ncontent-length: 0\r\n\r\n");
        });
        let gateway = gateway("any_method = true\nopen_after = 100", &[&origin.url]);
        let response = response_for(&gateway, "one", "hi");
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert_eq!(origin.requests(), 3, "{status}");
        let response = response_for(&gateway, "one", "hi");
        assert!(response.starts_with("HTTP/1.1 503 "), "{status}: {response}");
        assert!(response.contains("\r\nretry-after: 1\r\n"), "{response}");
        assert_eq!(origin.requests(), 3, "{status}");
        // Another request, and the same of another client.
        response_for(&gateway, "one", "longer");
        response_for(&gateway, "two", "hi");
        assert_eq!(origin.requests(), 9, "{status}");
    }
}

#[test]
fn retry_after_is_kept_when_client_ignores_it() {
    let origin = Origin::responding(
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 300\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    let gateway = gateway("any_method = true", &[&origin.url]);
    let response = response_for(&gateway, "one", "hi");
    assert!(response.contains("\r\nretry-after: 300\r\n"), "{response}");
    for body in ["hi", "longer"] {
        let response = response_for(&gateway, "one", body);
        assert!(response.starts_with("HTTP/1.1 429 "), "{response}");
        assert!(response.contains("\"cause\":\"rate_limited\""), "{response}");
        let lines: Vec<_> = response.lines().collect();
        let wait = lines.iter().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
        assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    }
    assert_eq!(origin.requests(), 1);
    response_for(&gateway, "two", "hi");
    assert_eq!(origin.requests(), 2);
}
