//! Servers that send bytes before they receive a request.

use serde_json::Value;

use crate::{
    program::{json, last_detail, text},
    server::{start_greeting, start_response},
};

/// A frame SETTINGS.
const HTTP2: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d";

#[tokio::test]
async fn report_names_protocol_of_server_that_speaks_first() {
    for (greeting, protocol, quoted) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "SSH", "SSH-2.0-OpenSSH_9.6"),
        (
            b"J\0\0\0\n8.4.0\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "MySQL",
            "",
        ),
        (b"220 mail.example ESMTP Postfix\r\n", "SMTP", "220 mail.example ESMTP Postfix"),
        (b"220 (vsFTPd 3.0.5)\r\n", "FTP", "220 (vsFTPd 3.0.5)"),
        (b"* OK Dovecot ready.\r\n", "IMAP", "* OK Dovecot ready."),
        (b"+OK Dovecot ready.\r\n", "POP3", "+OK Dovecot ready."),
        (HTTP2, "HTTP/2", ""),
    ] {
        let address = start_greeting(greeting).await;
        for (scheme, cause) in [("http", "http_protocol_error"), ("https", "tls_protocol_error")] {
            let url = format!("{scheme}://{address}/");
            let report = json(&[&url]).await;
            let failure = &report["failure"];
            assert_eq!(failure["cause"], cause, "{report}");
            assert_eq!(failure["protocol"], protocol, "{report}");
            let detail = last_detail(&report);
            assert!(detail.contains(protocol) && detail.contains(quoted), "{detail}");
            let text = text(&[&url]).await;
            assert!(text.contains(cause) && text.contains(protocol), "{text}");
            assert!(!text.contains("crash"), "{text}");
        }
    }
}

/// A server may also wait for the request, or be slower than the client.
#[tokio::test]
async fn report_names_protocol_of_server_that_speaks_second() {
    for (response, protocol) in [
        (&b"-ERR unknown command 'GET', with args beginning with: \r\n"[..], "Redis"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (HTTP2, "HTTP/2"),
    ] {
        let url = format!("http://{}/", start_response(response).await);
        let report = json(&[&url]).await;
        assert_eq!(report["failure"]["cause"], "http_protocol_error", "{report}");
        assert_eq!(report["failure"]["protocol"], protocol, "{report}");
    }
}

#[tokio::test]
async fn report_quotes_unknown_greeting() {
    let url = format!("http://{}/", start_greeting(b"hello from \x1b[31mnobody\r\n").await);
    let report = json(&[&url]).await;
    assert_eq!(report["failure"]["cause"], "http_protocol_error", "{report}");
    assert_eq!(report["failure"]["protocol"], Value::Null, "{report}");
    // The greeting arrives before the request or after it.
    let details = [
        "the server sent bytes before the request that are not HTTP",
        "the server's response is not HTTP",
    ];
    assert!(details.contains(&last_detail(&report)), "{report}");
    let url = format!("http://{}/", start_greeting(b"hello from nobody\r\n").await);
    let report = json(&[&url]).await;
    assert!(last_detail(&report).ends_with("not HTTP: hello from nobody"), "{report}");
}
