//! The gateway configured by a file.

mod support;

use std::{fs, time::Duration};

use scripted_origin::{Origin, Script};
use serde_json::Value;
use support::{GatewayProcess, gateway};
use tokio::time::Instant;

/// Writes a temporary file, deleted on drop.
fn config_file(text: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn example_path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Returns the error message for an invalid file.
fn config_error(text: impl AsRef<[u8]>, listen: &str) -> String {
    let file = config_file(text);
    let path = file.path().to_str().unwrap();
    let mut command = gateway(&["--config", path, "--listen", listen]);
    let output = command
        .envs([("GATEWAY_TEST_KEY", "k"), ("GATEWAY_EMPTY_KEY", " ")])
        .env_remove("NOT_SET")
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
    assert!(output.stdout.is_empty());
    message.trim().replace(path, "FILE")
}

const SERVICE: &str = "[[service]]\nname = \"a\"\n[[service.upstream]]\nurl = \"http://h\"\n";

#[test]
fn invalid_file_is_reported_in_one_line_with_position() {
    let local = "127.0.0.1:0";
    for (text, expected) in [
        (String::new(), "FILE: expected at least one [[service]]"),
        ("service".into(), "FILE:1: key with no value, expected `=`"),
        (format!("{SERVICE}[polcy]\n"), "FILE:5: unknown field `polcy`, expected one of `limit`"),
        (
            format!("{SERVICE}[policy]\nattempt = 5\n"),
            "FILE:6: attempt: invalid type: integer `5`, expected a duration",
        ),
        (format!("{SERVICE}[policy]\nattempt = \"5 lightyears\"\n"), "FILE:6: attempt: "),
        (
            format!("{SERVICE}[policy]\nretries = -1\n"),
            "FILE:6: retries: invalid value: integer `-1`",
        ),
        (format!("{SERVICE}[policy]\nopen_after = 0\n"), "FILE:6: open_after: invalid value: "),
        (
            format!("{SERVICE}[policy]\nattempt = \"20m\"\n"),
            "FILE:5: [policy]: expected attempt <= total",
        ),
        (format!("{SERVICE}[limit]\nburst = 1\n"), "FILE:5: missing field `requests_per_minute`"),
        (
            "[[service]]\nname = \"a/b\"\nupstream = []\n".into(),
            "FILE:2: name: expected a name of letters",
        ),
        (
            "[[service]]\nname = \"metrics\"\nupstream = []\n".into(),
            "FILE:2: name: the name `metrics` is reserved",
        ),
        (
            "[[service]]\nname = \"a\"\nupstream = []\n".into(),
            "FILE:2: name: service `a`: expected either a url or at least one upstream",
        ),
        (
            "[[service]]\nname = \"a\"\nupstream = [{}]\n".into(),
            "FILE:2: name: service `a`: expected an upstream to have either a url or a script",
        ),
        (format!("{SERVICE}{SERVICE}"), "FILE:6: name: `a` is already the name of another service"),
        (SERVICE.replace("http:", "ftp:"), "FILE:4: url: expected a URL with http:// or https://"),
        (
            format!("{SERVICE}api_key_env = \"NOT_SET\"\n"),
            "FILE:5: api_key_env: expected a key in the environment variable `NOT_SET`",
        ),
        (
            format!("{SERVICE}api_key_env = \"GATEWAY_TEST_KEY\"\napi_key_header = \"a b\"\n"),
            "FILE:6: api_key_header: expected the name of a header",
        ),
        (
            format!("{SERVICE}script = \"fast\"\n"),
            "FILE:5: script: unknown variant `fast`, expected one of `healthy`",
        ),
        (
            format!(
                "{SERVICE}[[client]]\nname = \"c\"\ntoken_env = \"GATEWAY_TEST_KEY\"\n\
                 [[client]]\nname = \"d\"\ntoken_env = \"GATEWAY_TEST_KEY\"\n"
            ),
            "FILE:9: name: `d` has the token of another client",
        ),
        (
            format!("{SERVICE}[service.policy]\nattempt = \"20m\"\n"),
            "FILE:2: name: service `a`: [service.policy]: expected attempt <= total",
        ),
        (
            SERVICE.replace("[[service.upstream]]", "dialect = \"cohere\"\n[[service.upstream]]"),
            "FILE:3: dialect: unknown variant `cohere`, expected one of `openai`",
        ),
        (
            format!("{SERVICE}[service.policies]\n"),
            "FILE:5: unknown field `policies`, expected one of `name`, `url`, ",
        ),
        ("#".repeat(2 << 20), "FILE: larger than 1 MiB"),
    ] {
        let message = config_error(&text, local);
        assert!(message.starts_with(expected), "{message}\nfor {}", &text[..text.len().min(300)]);
    }
    assert_eq!(config_error(b"a = \"\xff\"", local), "FILE: not UTF-8 at byte 5");
    let with_key = format!("{SERVICE}api_key_env = \"GATEWAY_TEST_KEY\"\n");
    let message = config_error(with_key, "0.0.0.0:0");
    assert!(message.starts_with("FILE: every host that reaches 0.0.0.0:"), "{message}");
    let output = gateway(&["--config", "/nowhere/at/all"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.starts_with("cannot read /nowhere/at/all: "), "{message}");
}

#[test]
fn setting_that_has_no_effect_or_overflows_is_reported() {
    let endless = "\"18446744073709551615s\"";
    let key = "api_key_env = \"GATEWAY_TEST_KEY\"\n";
    for (text, expected) in [
        (SERVICE.replace("\"a\"", "\"..\""), "FILE:2: name: expected a name that is no dot seg"),
        (SERVICE.replace("//h", "//h:99999"), "FILE:4: url: expected a URL with a host and a val"),
        (
            SERVICE.replace("\"a\"", "\"a\"\nhttp2 = true"),
            "FILE:2: name: service `a`: expected http2 in each upstream, or a url",
        ),
        (
            format!("{SERVICE}api_key_header = \"x-key\"\n"),
            "FILE:2: name: service `a`: expected api_key_env in an upstream with api_key_header",
        ),
        (
            format!("{SERVICE}{key}api_key_header = \"Host\"\n"),
            "FILE:6: api_key_header: expected a header that does not frame or route",
        ),
        (format!("{SERVICE}[policy]\ntotal = {endless}\n"), "FILE:6: total: expected a duration"),
        (format!("{SERVICE}[policy]\nidle = \"0s\"\n"), "FILE:6: idle: expected a duration abov"),
        (
            format!("{SERVICE}[connections]\nidle_timeout = {endless}\n"),
            "FILE:6: idle_timeout: expected a duration above 0s and up to 1 year",
        ),
        (
            format!("{SERVICE}[connections]\nhttp2_ping_interval = {endless}\n"),
            "FILE:6: http2_ping_interval: expected a duration above 0s and up to 1 year",
        ),
        (
            format!("{SERVICE}[forwarding]\ntunnel_idle = {endless}\n"),
            "FILE:6: tunnel_idle: expected a duration above 0s and up to 1 year",
        ),
    ] {
        let message = config_error(&text, "127.0.0.1:0");
        assert!(message.starts_with(expected), "{message}\nfor {text}");
    }
}

#[test]
fn mistake_in_service_is_one_line_with_position_key_and_expectation() {
    let service = "[[service]]\nname = \"a\"\n";
    let key = |variable: &str| format!("{SERVICE}api_key_env = \"{variable}\"\n");
    let no_upstream = "FILE:2: name: service `a`: expected either a url or at least one upstream";
    for (text, expected) in [
        (format!("{service}dialect = \"openai\"\n"), no_upstream),
        (format!("{service}dialect = \"openai\"\nupstream = []\n"), no_upstream),
        (
            format!("{service}url = \"http://h\"\n[[service.upstream]]\nurl = \"http://h\"\n"),
            no_upstream,
        ),
        (
            format!("{service}dialect = \"cohere\"\n"),
            "FILE:3: dialect: unknown variant `cohere`, expected one of `openai`, `anthropic`, `ge",
        ),
        (format!("{service}dialect = \"\"\n"), "FILE:3: dialect: unknown variant ``, expected one"),
        (format!("{service}dialect = 1\n"), "FILE:3: dialect: wanted string or table"),
        (
            format!("{service}model = \"m\"\nurl = \"http://h\"\n"),
            "FILE:3: unknown field `model`, expected one of `name`, `url`, ",
        ),
        (
            key("NOT_SET"),
            "FILE:5: api_key_env: expected a key in the environment variable `NOT_SET`",
        ),
        (
            key("GATEWAY_EMPTY_KEY"),
            "FILE:5: api_key_env: expected a key that is not empty in the environment variable `GAT",
        ),
        (key(""), "FILE:5: api_key_env: expected the name of an environment variable"),
        (key("A=B"), "FILE:5: api_key_env: expected the name of an environment variable"),
        (
            format!("{SERVICE}[[client]]\nname = \"c\"\ntoken_env = \"NOT_SET\"\n"),
            "FILE:7: token_env: expected a key in the environment variable `NOT_SET`",
        ),
        (
            format!("{SERVICE}[admin]\ntoken_env = \"GATEWAY_EMPTY_KEY\"\n"),
            "FILE:6: token_env: expected a key that is not empty in the environment variable `GAT",
        ),
        (format!("{SERVICE}{SERVICE}"), "FILE:6: name: `a` is already the name of another service"),
        ("[[service]]\nurl = \"http://h\"\n".into(), "FILE:1: missing field `name`"),
        (format!("{SERVICE}[[services]]\n"), "FILE:5: unknown field `services`, expected one of "),
    ] {
        let message = config_error(&text, "127.0.0.1:0");
        assert!(message.starts_with(expected), "{message}\nfor {text}");
    }
}

#[test]
fn unusable_certificate_is_reported_with_line_and_key_when_gateway_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (own, other) = (certificate(), certificate());
    let [cert, key] = [("cert", own.cert.pem()), ("key", own.signing_key.serialize_pem())]
        .map(|(name, text)| file(name, &text));
    let other_key = file("other-key", &other.signing_key.serialize_pem());
    let text = file("text", "text");
    let directory = folder.path().to_str().unwrap().to_owned();
    let missing = format!("{directory}/missing");
    let wrong_key = "expected the private key of the certificate in `cert`";
    for (cert, key, expected) in [
        (&missing, &key, "6: server.tls.cert: PATH/missing\": cannot read: No such file"),
        (&directory, &key, "6: server.tls.cert: PATH\": cannot read: Is a directory"),
        (&text, &key, "6: server.tls.cert: PATH/text\": expected a certificate in PEM"),
        (&cert, &missing, "7: server.tls.key: PATH/missing\": cannot read: No such file"),
        (&cert, &text, "7: server.tls.key: PATH/text\": expected an unencrypted private key in"),
        (&cert, &other_key, &format!("7: server.tls.key: PATH/other-key\": {wrong_key}")),
    ] {
        let config = format!("{SERVICE}[server.tls]\ncert = {cert:?}\nkey = {key:?}\n");
        let message = config_error(&config, "127.0.0.1:0");
        let message = message.replace(&format!("\"{directory}"), "PATH");
        assert!(message.starts_with(&format!("FILE:{expected}")), "{message}");
    }
}

#[tokio::test]
async fn example_file_is_valid_with_and_without_commented_settings() {
    let variables = [
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY_EU",
        "GATEWAY_TOKEN_ANN",
        "GATEWAY_TOKEN_ADMIN",
    ];
    let keys = variables.map(|variable| (variable, variable));
    let gateway = GatewayProcess::start_with_env(&["--config", &example_path("llm.toml")], &keys);
    let (status, _, text) = gateway.request("GET", "/").await;
    assert_eq!(
        (status.as_u16(), text.as_str()),
        (200, "seawall gateway. Services: /openai, /anthropic.\n")
    );
    let text = fs::read_to_string(example_path("llm.toml")).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(code) if code.starts_with('[') || code.contains(" = ") => code,
        _ => line,
    });
    let uncommented_file = config_file(lines.collect::<Vec<_>>().join("\n"));
    let path = uncommented_file.path().to_str().unwrap();
    let gateway = GatewayProcess::start_with_env(&["--config", path], &keys);
    let (_, _, text) = gateway.request("GET", "/").await;
    assert_eq!(text, "seawall gateway. Services: /openai, /anthropic, /billing.\n");
}

#[tokio::test]
async fn demo_file_matches_its_comments() {
    let demo = GatewayProcess::start(&["--config", &example_path("llm-demo.toml")]);
    for path in ["/mixed/v1/chat/completions", "/mixed/v1/messages", "/limited/v1/messages"] {
        for _ in 0..4 {
            let (status, _, body) = demo.request("POST", path).await;
            assert_eq!(status.as_u16(), 200, "{body}");
            assert!(body.contains("All is well that ends well."), "{body}");
        }
    }
    let (status, headers, _) = demo.request("POST", "/down/v1/messages?request=1").await;
    assert_eq!((status.as_u16(), headers["x-should-retry"].to_str().unwrap()), (502, "false"));
    demo.request("POST", "/down/v1/messages?request=2").await;
    let started = Instant::now();
    let (status, headers, body) = demo.request("POST", "/down/v1/messages?request=3").await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status.as_u16(), &problem["cause"]), (503, &"circuit_open".into()));
    assert!(headers.contains_key("retry-after"));
}

#[tokio::test]
async fn silent_upstream_does_not_delay_later_requests() {
    let silent = Origin::start(Script::Silent).await.unwrap();
    let healthy = Origin::start(Script::Healthy).await.unwrap();
    let file = config_file(format!(
        "[policy]\nattempt = \"200ms\"\nany_method = true\nopen_after = 2\n[[service]]\nname = \"a\"\n\
         upstream = [{{ url = \"http://{}\" }}, {{ url = \"http://{}\" }}]\n",
        silent.addr(),
        healthy.addr()
    ));
    let gateway = GatewayProcess::start(&["--config", file.path().to_str().unwrap()]);
    for _ in 0..20 {
        assert_eq!(gateway.request("POST", "/a/v1/x").await.0, 200);
    }
    assert!(silent.requests() <= 3, "{}", silent.requests());
    assert_eq!(healthy.requests(), 20);
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_replaces_policy_of_service_and_keeps_it_if_file_is_invalid() {
    let down = Origin::start(Script::Status(502)).await.unwrap();
    let url = format!("http://{}", down.addr());
    let config = |retries: u32| {
        format!(
            "[policy]\nretries = 5\n[[service]]\nname = \"billing\"\nurl = \"{url}\"\n\
             [service.policy]\nretries = {retries}\n"
        )
    };
    let file = config_file(config(2));
    let mut gateway = GatewayProcess::start(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(gateway.request("GET", "/billing/x").await.0, 502);
    assert_eq!(down.requests(), 3);
    fs::write(file.path(), config(0)).unwrap();
    assert!(gateway.signal_and_read_line("-HUP").starts_with("reloaded "));
    assert_eq!(gateway.request("GET", "/billing/x").await.0, 502);
    assert_eq!(down.requests(), 4);
    fs::write(file.path(), "").unwrap();
    let message = gateway.signal_and_read_line("-HUP");
    assert!(message.ends_with("the previous configuration stays in force"), "{message}");
    assert_eq!(gateway.request("GET", "/billing/x").await.0, 502);
    assert_eq!(down.requests(), 5);
}

#[cfg(unix)]
#[tokio::test]
async fn retry_reaches_scripted_upstream_when_reload_replaces_it() {
    let text = "[[service]]\nname = \"a\"\n[[service.upstream]]\nscript = \"rate_limited\"\n";
    let file = config_file(text);
    let gateway = GatewayProcess::start(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(gateway.request("GET", "/a").await.0, 200);
    // The second response is a 429, after which the retry waits for 300 ms.
    let reload = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        fs::write(file.path(), text.replace("\"a\"", "\"a\"\npolicy.retries = 3")).unwrap();
        gateway.signal("-HUP");
    };
    let ((status, _, body), ()) = tokio::join!(gateway.request("GET", "/a"), reload);
    assert_eq!(status, 200, "{body}");
}
