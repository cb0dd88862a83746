//! Secrets in paths, error messages and headers.

use futures_util::FutureExt;

use super::*;

/// Returns the logged form of an error message.
fn logged(message: &str) -> String {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([Action::<ScriptedBody>::Fail(message.into())]);
    let call = LoggingLayer::client().redact(["tenant"]).layer(script).oneshot(get("http://h/"));
    call.now_or_never().unwrap().unwrap_err();
    recorder.line().get("error.message").unwrap().to_owned()
}

/// Returns everything that is logged about a failed request to `uri`, including the URL.
fn logged_for(layer: &LoggingLayer, uri: &str) -> (String, String) {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let call = layer.layer(Script::new([answer(502)])).oneshot(get(uri));
    call.now_or_never().unwrap().unwrap();
    let line = recorder.line();
    let url = line.get("url.full").or(line.get("url.path")).unwrap().to_owned();
    (url, format!("{:?} {:?}", recorder.events(), recorder.spans()))
}

#[test]
fn log_hides_user_and_query_of_url_in_error_message() {
    for (message, expected) in [
        ("connect postgres://me:hunter2@db:5432/x", "connect postgres://REDACTED@db:5432/x"),
        ("connect amqp://me:a/b@mq/v", "connect amqp://REDACTED@mq/v"),
        ("bad url (https://h/a?token=abc): refused", "bad url (https://h/a?REDACTED): refused"),
        ("bad url 'https://h/?abc'", "bad url 'https://h/?REDACTED'"),
        ("\"https://me@h/\", no", "\"https://REDACTED@h/\", no"),
        ("see https://h:8080/a/@b#access_token=c", "see https://h:8080/a/@b#REDACTED"),
        ("GET /cb?code=abc&x=y failed", "GET /cb?REDACTED failed"),
        ("GET /bot12:abc/getMe failed", "GET /bot12:REDACTED/getMe failed"),
        ("GET /a;jsessionid=abc/b failed", "GET /a;jsessionid=REDACTED/b failed"),
        ("denied: password=hunter2 user=me", "denied: password=REDACTED user=me"),
        ("client_secret=abc&to=https://h/b", "client_secret=REDACTED&to=https://h/b"),
        ("GET /cb?code=abc&next=https://h/ failed", "GET /cb?REDACTED failed"),
        ("to=https://me:abc@h/b", "to=https://REDACTED@h/b"),
        ("denied: tenant=abc", "denied: tenant=REDACTED"),
    ] {
        assert_eq!(logged(message), expected);
    }
}

#[test]
fn log_keeps_error_message_without_secrets() {
    for message in [
        "connection refused (os error 111)",
        "did you mean this?",
        "is it up? no: http://[::1]:80/a/b, http://h",
        "me@example.com was not found",
        "a=1, b=2: 50 % of 3 / 4",
    ] {
        assert_eq!(logged(message), message);
    }
}

/// The end of a truncated text may be a URL whose user and password end at a later `@`.
#[test]
fn log_hides_password_at_end_of_truncated_error_message() {
    let url = format!("http://me:{}", "hunter2".repeat(3_000));
    assert!(!logged(&format!("{url}@h/")).contains("hunter2"));
    let query = "a".repeat(8_160);
    assert!(!logged(&format!("http://h/?{query} {url}@h/")).contains("hunter2"));
}

#[test]
fn log_hides_secret_segments_of_known_paths() {
    for (path, expected) in [
        ("/bot123456:SECRET/sendMessage", "/bot123456:REDACTED/sendMessage"),
        ("/bot123456%3ASECRET/getMe", "/bot123456%3AREDACTED/getMe"),
        ("/services/T01/B02/SECRET", "/services/T01/B02/REDACTED"),
        ("/api/webhooks/17/SECRET", "/api/webhooks/17/REDACTED"),
        ("/api/v10/webhooks/17/SECRET/slack", "/api/v10/webhooks/17/REDACTED/slack"),
        ("/proxy/api/webhooks/17/SECRET", "/proxy/api/webhooks/17/REDACTED"),
        ("/a;JSESSIONID=SECRET;b=1/c", "/a;JSESSIONID=REDACTED;b=1/c"),
        ("/a%3Bjsessionid%3DSECRET", "/a%3Bjsessionid%3DREDACTED"),
        ("/token=SECRET/x", "/token=REDACTED/x"),
        ("/fetch/https://me:SECRET@h/x", "/fetch/https://REDACTED@h/x"),
    ] {
        for (layer, origin) in [(LoggingLayer::client(), "http://h"), (LoggingLayer::server(), "")]
        {
            let (url, all) = logged_for(&layer, &format!("http://h{path}"));
            assert_eq!(url, format!("{origin}{expected}"));
            assert!(!all.contains("SECRET"), "{all}");
            let (_, all) = logged_for(&layer.otel_spans(), &format!("http://h{path}"));
            assert!(!all.contains("SECRET"), "{all}");
        }
    }
}

#[test]
fn log_keeps_ordinary_paths() {
    for path in [
        "/",
        "/bottles/17",
        "/bot:/x",
        "/services/orders/17/x",
        "/webhooks/17/x",
        "/api/webhooks/17",
        "/a;v=1/b",
        "//a//",
        "/a:b@c",
    ] {
        let (url, _) = logged_for(&LoggingLayer::client(), &format!("http://h{path}"));
        assert_eq!(url, format!("http://h{path}"));
    }
}

#[test]
fn redact_paths_hides_segment_that_template_matches() {
    let layer = LoggingLayer::client().redact_paths(["/v3/{key}", "invite/*/x-{id}/", "/plain"]);
    for (path, expected) in [
        ("/v3/SECRET", "/v3/REDACTED"),
        ("/v3/SECRET/blocks", "/v3/REDACTED/blocks"),
        ("/eth/v3/SECRET", "/eth/v3/REDACTED"),
        ("/invite/any/x-SECRET", "/invite/any/x-REDACTED"),
        ("/v3/", "/v3/"),
        ("/v3", "/v3"),
        ("/invite/any/y-seen", "/invite/any/y-seen"),
        ("/plain", "/plain"),
    ] {
        assert_eq!(logged_for(&layer, &format!("http://h{path}")).0, format!("http://h{expected}"));
    }
}

#[test]
fn log_hides_secrets_of_url_in_logged_header() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let layer = LoggingLayer::client().log_headers([http::header::REFERER]);
    let mut request = get("http://h/");
    let referer = "https://me:hunter2@h/a?code=SECRET";
    request.headers_mut().insert(http::header::REFERER, referer.parse().unwrap());
    layer.layer(Script::new([answer(200)])).oneshot(request).now_or_never().unwrap().unwrap();
    let line = recorder.line();
    let headers = line.get("seawall.request.headers");
    assert_eq!(headers, Some("referer: https://REDACTED@h/a?REDACTED"));
}

#[test]
fn log_truncates_long_path_of_delimiters() {
    for segment in ["/", "//", "/a=", "/bot", "/services/T/B", "%25%2525"] {
        let path = segment.repeat(60_000 / segment.len());
        let (logged, _) = logged_for(&LoggingLayer::server(), &format!("http://h/{path}"));
        assert!(logged.ends_with('…') && logged.chars().count() <= 2_049, "{segment}");
    }
}

/// Every key and path of the lists is documented.
#[test]
fn documentation_lists_every_known_secret() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let docs = read("src/logging/layer.rs");
    for file in ["src/redact/keys.rs", "src/redact/path.rs"] {
        let source = read(file);
        let lists = source.split("&[&str] =").skip(1).map(|list| list.split("];").next().unwrap());
        for secret in lists.flat_map(|list| list.split('"').skip(1).step_by(2)) {
            let is_listed = docs.contains(&format!("`{secret}`"));
            assert!(is_listed || secret.starts_with("/bot*%3"), "{secret}");
        }
    }
}
