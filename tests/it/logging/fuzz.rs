//! Random requests that attempt to corrupt the log.

use http::{HeaderName, HeaderValue, Method, Uri};

use super::{escaping::is_hidden, formatters::Written, *};

/// Secrets that the log must not contain.
const SECRETS: [&str; 5] = ["hunter2", "s3cr3t-0f", "p4ss%77ord", "Zm9vOmJhcg==", "correct-horse"];

/// Returns the number of requests: the value of `SEAWALL_HOSTILE`, 5,000 by default.
fn requests() -> usize {
    std::env::var("SEAWALL_HOSTILE").ok().and_then(|it| it.parse().ok()).unwrap_or(5_000)
}

/// Returns random bytes that include sequences known to corrupt logs.
fn noise(random: &mut fastrand::Rng, max: usize) -> Vec<u8> {
    const HOSTILE: &[&[u8]] = &[
        b"\r\n",
        b"\x1b[31m",
        "\u{61c}".as_bytes(),
        "\u{200e}".as_bytes(),
        "\u{200f}".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{2066}".as_bytes(),
        "\u{2069}".as_bytes(),
        "\u{a0}".as_bytes(),
        "\u{ad}".as_bytes(),
        "\u{200b}".as_bytes(),
        "\u{2060}".as_bytes(),
        "\u{3000}".as_bytes(),
        "\u{feff}".as_bytes(),
        "\u{e0041}".as_bytes(),
        b"%0d%0a",
        b"\"",
        b"\\",
        b"\t",
        b"\xff",
        b"{\"a\":",
        b"%",
        b"%25%32",
        b"&",
        b"=",
        b"?",
        b"#",
        b";",
        b"'",
        b"$(id)",
        "ä".as_bytes(),
    ];
    let mut bytes = Vec::new();
    for _ in 0..random.usize(..=max) {
        match random.u8(..3) {
            0 => bytes.push(random.u8(..)),
            1 => bytes.push(random.alphanumeric() as u8),
            _ => bytes.extend_from_slice(HOSTILE[random.usize(..HOSTILE.len())]),
        }
    }
    bytes
}

/// Returns a random URI, or a plain one if none of ten random texts parses.
fn uri(random: &mut fastrand::Rng) -> Uri {
    let secret = SECRETS[random.usize(..SECRETS.len())];
    let key =
        ["token", "API_KEY", "X-Amz-Signature", "access%5Ftoken", "user[password]", "to%6ben"]
            [random.usize(..6)];
    let user =
        if random.bool() { format!("user:{}@", secret.replace('%', "%25")) } else { String::new() };
    for _ in 0..10 {
        let mut text = format!("http://{user}h.example:80/").into_bytes();
        text.extend(noise(random, 8).into_iter().filter(|byte| *byte != b'?' && *byte != b'#'));
        text.push(b'?');
        text.extend(noise(random, 8).into_iter().filter(|byte| *byte != b'#'));
        text.extend_from_slice(format!("&{key}={secret}&").as_bytes());
        text.extend(noise(random, 8).into_iter().filter(|byte| *byte != b'#'));
        if let Ok(uri) = Uri::from_maybe_shared(Bytes::from(text)) {
            return uri;
        }
    }
    format!("http://{user}h.example/?{key}={secret}").parse().unwrap()
}

fn request(random: &mut fastrand::Rng) -> Request<Body> {
    let mut request = Request::new(Body::default());
    *request.uri_mut() = uri(random);
    *request.method_mut() = Method::from_bytes(&noise(random, 4)).unwrap_or(Method::GET);
    let secret = SECRETS[random.usize(..SECRETS.len())];
    for name in ["authorization", "cookie", "x-api-key", "x-own", "proxy-authorization"] {
        request.headers_mut().insert(name, HeaderValue::from_static(secret));
    }
    for name in ["x-request-id", "user-agent", "accept", "host", "x-seen"] {
        if let Ok(value) = HeaderValue::from_bytes(&noise(random, 12)) {
            request.headers_mut().insert(name, value);
        }
    }
    if let (Ok(name), Ok(value)) =
        (HeaderName::from_bytes(&noise(random, 4)), HeaderValue::from_bytes(&noise(random, 400)))
    {
        request.headers_mut().insert(name, value);
    }
    request
}

fn act(random: &mut fastrand::Rng) -> Action<ScriptedBody> {
    let text = noise(random, 40);
    let body = match random.u8(..3) {
        0 => ScriptedBody::default(),
        1 => ScriptedBody::new([Step::Data(text.clone().into())]),
        _ => ScriptedBody::new([Step::Data(text.clone().into()), Step::Error]),
    };
    let mut response = Response::new(body);
    *response.status_mut() = random.u16(200..600).try_into().unwrap();
    if random.u8(..4) == 0 {
        return Action::Fail(String::from_utf8_lossy(&text).into_owned().into());
    }
    if let Ok(value) = HeaderValue::from_bytes(&text) {
        response.headers_mut().insert("x-seen", value);
    }
    Action::Respond(response)
}

#[tokio::test(start_paused = true)]
async fn log_stays_parseable_without_secrets_for_random_requests() {
    let mut random = fastrand::Rng::with_seed(502);
    for layer in [LoggingLayer::client(), LoggingLayer::server()] {
        let layer = layer
            .log_user_agent(true)
            .max_failed_body_bytes(256)
            .log_headers(["x-seen", "accept", "authorization"].map(HeaderName::from_static))
            .otel_spans();
        for json in [true, false] {
            for _ in 0..requests() / 1_000 {
                let written = Written::default();
                let fmt = tracing_subscriber::fmt()
                    .with_max_level(tracing::Level::TRACE)
                    .with_ansi(false)
                    .without_time()
                    .with_writer(written.clone());
                let _guard = if json {
                    crate::log_capture::set_subscriber(fmt.json().finish())
                } else {
                    crate::log_capture::set_subscriber(fmt.finish())
                };
                let mut calls = 0;
                for _ in 0..250 {
                    let service = layer.layer(Script::new([act(&mut random)]));
                    let response = service.oneshot(request(&mut random)).await;
                    if let Ok(response) = response {
                        let _ = response.into_body().collect().await;
                    }
                    calls += 1;
                }
                assert_log(&written.text(), json, calls);
            }
        }
    }
}

fn assert_log(text: &str, json: bool, calls: usize) {
    let mut lines = 0;
    for line in text.lines() {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
        let raw = line.chars().find(|c| is_hidden(*c));
        assert_eq!(raw, None, "{line:?}");
        if json {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            lines += usize::from(value["target"] == "seawall::logging");
        } else {
            assert!(line.contains(" seawall::logging"), "text outside a log line: {line}");
            lines += usize::from(!line.contains(" seawall::logging::curl"));
        }
    }
    assert_eq!(lines, calls);
}
