//! The curl command that repeats a request.

use std::process::Command;

use http::{HeaderValue, header};

use super::*;

async fn command(layer: LoggingLayer, request: Request<Body>) -> Option<String> {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let service = layer.layer(Script::new([answer(502)]));
    drop(service.oneshot(request).await.unwrap().into_body().collect().await);
    let mut events = recorder.events().into_iter();
    events.find(|it| it.message().starts_with("curl")).map(|it| it.message().to_owned())
}

/// Returns the arguments that a shell passes to curl.
fn arguments(command: &str) -> Vec<Vec<u8>> {
    let script = format!("set -u; curl() {{ printf '%s\\0' \"$@\"; }}; {command}");
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .env_clear()
        .env("AUTHORIZATION", "Bearer x")
        .env("USERINFO", "u:p")
        .env("QUERY_TOKEN", "t")
        .env("HEADER_X_OWN", "own")
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut arguments: Vec<_> =
        output.stdout.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    arguments.pop();
    arguments
}

#[tokio::test(start_paused = true)]
async fn log_adds_curl_command_after_failure() {
    let mut request = get("http://user:hunter2@upstream:8080/a?x=1&token=SECRET&y=2");
    *request.method_mut() = http::Method::POST;
    for (name, value) in [
        ("accept", "text/plain"),
        ("authorization", "Bearer hunter2"),
        ("x-own", "hunter2"),
        ("content-length", "3"),
        ("host", "upstream"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let command = command(LoggingLayer::client(), request).await.unwrap();
    assert!(!command.contains("hunter2") && !command.contains("SECRET"), "{command}");
    let expected = [
        "-gi",
        "--path-as-is",
        "-X",
        "POST",
        "-H",
        "accept: text/plain",
        "-H",
        "authorization: Bearer x",
        "-H",
        "x-own: own",
        "--data-binary",
        "@body",
        "-u",
        "u:p",
        "--url",
        "http://upstream:8080/a?x=1&token=t&y=2",
    ];
    assert_eq!(arguments(&command), expected.map(|it| it.as_bytes().to_vec()));
}

/// hyper adds `content-length` to a client's request only when it writes the head, and HTTP/2 does
/// not require the header.
#[tokio::test(start_paused = true)]
async fn curl_command_sends_body_when_method_or_length_implies_it() {
    for method in ["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD"] {
        for length in [None, Some("0"), Some("3")] {
            let mut request = get("http://upstream:8080/a");
            *request.method_mut() = method.parse().unwrap();
            let header_of = |it| (header::CONTENT_LENGTH, HeaderValue::from_static(it));
            request.headers_mut().extend(length.map(header_of));
            let command = command(LoggingLayer::client(), request).await.unwrap();
            let sends_body = length.map_or(method.starts_with('P'), |it| it != "0");
            assert_eq!(command.contains(" --data-binary @body"), sends_body, "{command}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn shell_treats_peer_input_as_text() {
    let hostile: &[&[u8]] = &[
        b"$(id)`id`\"; id; '\\'' !! \\ \t *",
        b"'; id #",
        b"\xff\xfe' \\x41",
        b"",
        b"-o /etc/passwd",
        b"@/etc/passwd",
        b"a\\nb'$'",
    ];
    for value in hostile {
        let mut request = get("http://h/%27$(id)';id;!x{a,b}[1-9]?q=';$(id)&$X=`id`");
        *request.method_mut() = http::Method::from_bytes(b"$X`'!").unwrap();
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_bytes(value).unwrap());
        let command = command(LoggingLayer::client(), request).await.unwrap();
        assert!(command.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{command}");
        let sent = arguments(&command);
        let separator: &[u8] = if value.is_empty() { b";" } else { b": " };
        let header = [b"accept", separator, value].concat();
        let url = b"http://h:80/%27$(id)';id;!x{a,b}[1-9]?q=';$(id)&$X=`id`".to_vec();
        let expected = [b"-gi".to_vec(), b"--path-as-is".into(), b"-X".into(), b"$X`'!".into()];
        assert_eq!(sent[..4], expected);
        assert_eq!(sent[4..], [b"-H".to_vec(), header, b"--url".into(), url]);
    }
    // A header name can neither select another variable nor run a command.
    let mut request = get("http://h/");
    request.headers_mut().insert("path`id`$x", HeaderValue::from_static("v"));
    let command = command(LoggingLayer::client(), request).await.unwrap();
    assert!(command.contains("'path`id`$x: '\"${HEADER_PATH_ID__X}\""), "{command}");
}

#[tokio::test(start_paused = true)]
async fn log_omits_curl_command_when_disabled_too_long_or_successful() {
    assert_eq!(command(LoggingLayer::client().log_curl(false), get(URL)).await, None);
    let mut request = get(URL);
    let long = HeaderValue::from_bytes(&[b'x'; 10_000]).unwrap();
    request.headers_mut().insert(header::ACCEPT, long);
    let command = command(LoggingLayer::client(), request).await.unwrap();
    assert_eq!(command, "curl: omitted because the command is too long");
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let service = LoggingLayer::client().layer(Script::new([answer(200)]));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    assert_eq!(recorder.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn server_curl_command_uses_host_header() {
    let mut request = get("/a");
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("shop.example:8443"));
    let command = command(LoggingLayer::server().scheme("https"), request).await.unwrap();
    assert_eq!(arguments(&command).last().unwrap(), b"https://shop.example:8443/a");
}
