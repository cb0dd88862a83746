//! The program's output and exit codes.

use std::process::{Command, Output, Stdio};

use scripted_origin::{Origin, Script};
use serde_json::Value;

fn diagnose(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seawall-diagnose"));
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs the program off the runtime's thread, which drives the origin.
async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let output = tokio::task::spawn_blocking(move || {
        diagnose(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let output = output.await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn json(arguments: &[&str]) -> (Option<i32>, Value) {
    let (code, out, err) = run(&[arguments, &["--json"]].concat()).await;
    assert_eq!(err, "");
    (code, serde_json::from_str(&out).unwrap())
}

#[tokio::test]
async fn failure_of_each_script_is_reported_as_json_and_text() {
    for (script, cause, processed) in [
        (Script::Refuse, "connection_refused", "no"),
        (Script::ReadClose, "connection_terminated", "maybe"),
        (Script::Reset, "connection_terminated", "maybe"),
        (Script::Silent, "http_response_timeout", "maybe"),
        (Script::Garbage, "http_protocol_error", "maybe"),
        (Script::TruncatedHead, "connection_terminated", "maybe"),
        (Script::TruncatedBody, "http_response_incomplete", "yes"),
        (Script::TruncatedChunks, "http_response_incomplete", "yes"),
        (Script::HugeHead, "http_response_header_section_size", "maybe"),
        (Script::Status(404), "client_error", "maybe"),
        (Script::Status(429), "rate_limited", ""),
        (Script::Status(500), "unknown", "maybe"),
        (Script::Status(502), "bad_gateway", "maybe"),
        (Script::Status(503), "overloaded", "maybe"),
        (Script::Status(504), "gateway_timeout", "maybe"),
    ] {
        let origin = Origin::start(script).await.unwrap();
        let url = format!("http://{}/", origin.addr());
        // Only the silent origin reaches the timeout.
        let timeout = if script == Script::Silent { "300ms" } else { "10s" };
        let (code, report) = json(&[&url, "--timeout", timeout]).await;
        assert_eq!(code, Some(1), "{script:?}: {report}");
        assert_eq!(report["failure"]["cause"], cause, "{script:?}: {report}");
        if !processed.is_empty() {
            assert_eq!(report["failure"]["processed"], processed, "{script:?}: {report}");
        }
        let (code, out, _) = run(&[&url, "--timeout", timeout]).await;
        assert_eq!(code, Some(1), "{script:?}");
        assert!(out.contains('✗') && out.contains(cause), "{script:?}: {out}");
        assert!(!out.contains('\u{1b}'), "no color when piped: {out}");
    }
}

#[tokio::test]
async fn connection_closed_after_accept_is_terminated() {
    let origin = Origin::start(Script::AcceptClose).await.unwrap();
    let (code, report) = json(&[&format!("http://{}/", origin.addr())]).await;
    assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"connection_terminated".into()));
}

/// Starts a name server that responds to each query with this code, or not at all.
async fn start_nameserver(code: Option<u8>) -> std::net::SocketAddr {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((size, from)) = socket.recv_from(&mut query).await {
            if let Some(code) = code {
                // RFC 1035 §4.1.1: the QR bit marks a response, and the low bits are its code.
                query[2] |= 0x80;
                query[3] = query[3] & 0xf0 | code;
                let _ = socket.send_to(&query[..size], from).await;
            }
        }
    });
    addr
}

#[tokio::test]
async fn nxdomain_and_dns_timeout_are_distinguished() {
    const NXDOMAIN: u8 = 3;
    for (code, cause) in [(Some(NXDOMAIN), "dns_error"), (None, "dns_timeout")] {
        let server = start_nameserver(code).await.to_string();
        let arguments = ["http://upstream.example/", "--nameserver", &server, "--timeout", "500ms"];
        let (code, report) = json(&arguments).await;
        assert_eq!((code, &report["failure"]["cause"]), (Some(1), &cause.into()), "{report}");
        assert_eq!(report["failure"]["location"], "client");
        assert_eq!(report["failure"]["processed"], "no");
    }
}

#[tokio::test]
async fn healthy_origin_exits_0_by_address_and_by_name() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let port = origin.addr().port();
    for url in [format!("http://127.0.0.1:{port}/"), format!("http://localhost:{port}/")] {
        let (code, report) = json(&[&url]).await;
        assert_eq!(
            (code, &report["healthy"], &report["failure"]),
            (Some(0), &true.into(), &Value::Null)
        );
        assert_eq!((&report["status"], &report["schema"]), (&200.into(), &1.into()));
    }
    let (code, out, err) = run(&[&format!("http://{}/", origin.addr()), "-X", "head"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("Healthy"), "{out}");
    assert!(origin.received().last().unwrap().head.starts_with("HEAD / "));
}

#[tokio::test]
async fn ipv6_address_is_accepted() {
    // No process listens on port 9, and a machine without IPv6 has no route.
    let (code, report) = json(&["http://[::1]:9/", "--timeout", "5s"]).await;
    assert_eq!(code, Some(1));
    assert_eq!(report["steps"][1]["stage"], "tcp");
    assert_eq!(report["failure"]["processed"], "no");
}

#[tokio::test]
async fn unresolvable_name_fails_within_timeout() {
    let (code, report) = json(&["http://nobody.invalid/", "--timeout", "1s"]).await;
    let cause = report["failure"]["cause"].as_str().unwrap();
    assert_eq!(code, Some(1));
    assert!(["dns_error", "dns_timeout"].contains(&cause), "{report}");
}

#[tokio::test]
async fn no_url_diagnoses_built_in_upstream_and_exits_1() {
    let (code, out, _) = run(&[]).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("built-in") && out.contains("error=connection_refused"), "{out}");
}

#[tokio::test]
async fn repeat_counts_intermittent_failures() {
    let origin = Origin::start(Script::Flaky { every: 2 }).await.unwrap();
    let url = format!("http://{}/", origin.addr());
    let (code, report) = json(&[&url, "--repeat", "4"]).await;
    assert_eq!((code, &report["runs"]["failed"]), (Some(1), &2.into()));
    assert_eq!(report["runs"]["causes"]["bad_gateway"], 2);
}

#[tokio::test]
async fn control_characters_from_peer_are_escaped() {
    let response: &[u8] = b"HTTP/1.1 502 \x1b\r\nserver: a\x9b2J\xe2\x80\xaeb\r\nconnection: close\r\n\r\n\x1b]0;x\x07<b>\x1b[31mred";
    let origin = Origin::start(Script::Raw(response)).await.unwrap();
    let url = format!("http://{}/", origin.addr());
    let (code, out, _) = run(&[&url]).await;
    assert_eq!(code, Some(1));
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert!(!out.contains('\u{202e}'), "{out:?}");
}

#[tokio::test]
async fn secrets_are_sent_but_not_printed() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let url = format!("http://me:HUNTER2@{}/?api_key=HUNTER2", origin.addr());
    for extra in [&[][..], &["--json"]] {
        let arguments = [&[url.as_str(), "-H", "X-Token: HUNTER2"], extra].concat();
        let (code, out, err) = run(&arguments).await;
        assert_eq!(code, Some(0), "{err}");
        assert!(!out.contains("HUNTER2") && out.contains("REDACTED"), "{out}");
    }
    let head = &origin.received()[0].head;
    assert!(
        head.contains("/?api_key=HUNTER2") && head.contains("Basic bWU6SFVOVEVSMg=="),
        "{head}"
    );
}

#[test]
fn curl_command_quotes_url_for_shell() {
    let url = "http://127.0.0.1:9/'$(touch pwned)`id`;&|\"[a-z]\\?q='$(id)'";
    let output = diagnose(&[url, "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let curl = report["curl"].as_str().unwrap();
    let script = format!("curl() {{ for word; do printf '%s\\n' \"$word\"; done; }}\n{curl}");
    let echoed = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(echoed.stdout).unwrap();
    assert_eq!(words.lines().last(), report["url"].as_str());
    assert!(words.contains("$("), "{words}");
}

#[test]
fn usage_error_is_one_line_without_secrets_and_exits_2() {
    for arguments in [
        &["--nope"][..],
        &["ftp://hunter2@host/"],
        &["host/path"],
        &["http://"],
        &["http://me:hunter2@host:99999/"],
        &["http://h/", "extra"],
        &["http://h/", "-X", "POST"],
        &["http://h/", "-H", "hunter2"],
        &["http://h/", "-H", "a: b\nc: hunter2"],
        &["http://h/", "--timeout", "soon"],
        &["http://h/", "--timeout", "0s"],
        &["http://h/", "--repeat", "0"],
        &["http://h/", "--connect-to", "host"],
        &["--connect-to", "127.0.0.1"],
    ] {
        let output = diagnose(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty() && !stderr.contains("hunter2"), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn event_stream_with_error_status_fails() {
    let script = Script::Always(502, "content-type: text/event-stream\r\n");
    let origin = Origin::start(script).await.unwrap();
    let (code, report) = json(&[&format!("http://{}/", origin.addr())]).await;
    assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"bad_gateway".into()), "{report}");
}

#[tokio::test]
async fn secrets_in_location_are_redacted() {
    for line in [
        "location: https://a.example/cb#access_token=hunter2\r\n",
        "location: //me:hunter2@a.example/\r\n",
        "location: /\\me:hunter2@a.example/\r\n",
        "location: https://b.example/\r\nlocation: https://me:hunter2@a.example/\r\n",
    ] {
        let origin = Origin::start(Script::Always(302, line)).await.unwrap();
        let (_, out, _) = run(&[&format!("http://{}/", origin.addr())]).await;
        assert!(out.contains("a.example") && !out.contains("hunter2"), "{out}");
    }
}

#[test]
fn stray_argument_is_not_printed() {
    for arguments in [
        &["-H", "Authorization:", "Bearer", "hunter2", "http://h/"][..],
        &["http://h/", "http://me:hunter2@h/"],
        &["--json=hunter2"],
    ] {
        let output = diagnose(arguments);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && !err.contains("hunter2"), "{err}");
    }
}

#[tokio::test]
async fn secrets_in_query_are_redacted() {
    for query in ["a=1;token=hunter2", "q=abcDEF0123+hunter2hunter2/hunter2=="] {
        let (_, out, _) = run(&[&format!("http://127.0.0.1:1/?{query}")]).await;
        assert!(!out.contains("hunter2"), "{out}");
    }
}

#[tokio::test]
async fn secrets_echoed_in_error_page_are_redacted() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?token=hunter2", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let size = stream.read(&mut head).await.unwrap();
        let head_line = format!("HTTP/1.1 404 x\r\ncontent-length: {size}\r\n\r\n");
        stream.write_all(&[head_line.as_bytes(), &head[..size]].concat()).await.unwrap();
    });
    let (_, out, _) = run(&[&url, "-H", "Cookie: a=hunter2", "-H", "cookie: b=second"]).await;
    assert!(out.contains("cookie: REDACTED") && !out.contains("hunter2"), "{out}");
}
