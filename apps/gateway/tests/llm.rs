//! The gateway in front of LLM APIs, by its file.

mod support;

use std::{fs, time::Duration};

use scripted_origin::{Origin, Script};
use serde_json::Value;
use support::{Serving, gateway};
use tokio::time::Instant;

/// A file with this text, as long as it is held.
fn file(text: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn shipped(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What is said of a file, which is refused.
fn said_of(text: impl AsRef<[u8]>, listen: &str) -> String {
    let file = file(text);
    let path = file.path().to_str().unwrap();
    let mut command = gateway(&["--config", path, "--listen", listen]);
    let output = command.env("GATEWAY_TEST_KEY", "k").env_remove("NOT_SET").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(output.stdout.is_empty());
    said.trim().replace(path, "FILE")
}

const SERVICE: &str = "[[service]]\nname = \"a\"\n[[service.upstream]]\nurl = \"http://h\"\n";

#[test]
fn a_bad_file_is_one_line_that_says_where_and_what_was_expected() {
    let local = "127.0.0.1:0";
    for (text, says) in [
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
            "FILE: [policy]: expected 0s < attempt <= total, and 0s < idle",
        ),
        (format!("{SERVICE}[limit]\nburst = 1\n"), "FILE:5: missing field `requests_per_minute`"),
        ("[[service]]\nname = \"a/b\"\nupstream = []\n".into(), "FILE:2: name: a name has letters"),
        (
            "[[service]]\nname = \"metrics\"\nupstream = []\n".into(),
            "FILE:2: name: /metrics is the gateway's own",
        ),
        (
            "[[service]]\nname = \"a\"\nupstream = []\n".into(),
            "FILE:2: name: a: expected either a url or at least one upstream",
        ),
        (
            "[[service]]\nname = \"a\"\nupstream = [{}]\n".into(),
            "FILE:2: name: a: expected an upstream to have either a url or a script",
        ),
        (format!("{SERVICE}{SERVICE}"), "FILE:6: name: a is the name of another service"),
        (SERVICE.replace("http:", "ftp:"), "FILE:4: url: a URL begins with http:// or https://"),
        (
            format!("{SERVICE}api_key_env = \"NOT_SET\"\n"),
            "FILE:5: api_key_env: expected a key in the variable NOT_SET",
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
            "FILE:9: name: d has the token of another client",
        ),
        (
            format!("{SERVICE}[policies.default.retry]\ntotl = 1\n"),
            "FILE:6: unknown field `totl`, expected one of `total`",
        ),
        (
            format!("{SERVICE}[policies.default.timeouts]\nattempt = 10\n"),
            "FILE:6: attempt: invalid value: integer `10`, expected a time with its unit",
        ),
        ("#".repeat(2 << 20), "FILE: longer than a mebibyte"),
    ] {
        let said = said_of(&text, local);
        assert!(said.starts_with(says), "{said}\nfor {}", &text[..text.len().min(300)]);
    }
    assert_eq!(said_of(b"a = \"\xff\"", local), "FILE: not UTF-8 at byte 5");
    let with_key = format!("{SERVICE}api_key_env = \"GATEWAY_TEST_KEY\"\n");
    let said = said_of(with_key, "0.0.0.0:0");
    assert!(said.starts_with("FILE: whoever reaches 0.0.0.0:"), "{said}");
    let output = gateway(&["--config", "/nowhere/at/all"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.starts_with("cannot read /nowhere/at/all: "), "{said}");
}

#[tokio::test]
async fn the_shipped_file_is_a_good_one_and_so_is_what_it_has_in_comments() {
    let variables =
        ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY_EU", "GATEWAY_TOKEN_ANN"];
    let keys = variables.map(|variable| (variable, "k"));
    let serving = Serving::start_with(&["--config", &shipped("llm.toml")], &keys);
    let (status, _, text) = serving.ask("GET", "/").await;
    assert_eq!(
        (status.as_u16(), text.as_str()),
        (200, "seawall gateway. There is /openai, /anthropic.\n")
    );
    let text = fs::read_to_string(shipped("llm.toml")).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(code) if code.starts_with('[') || code.contains(" = ") => code,
        _ => line,
    });
    let all = file(lines.collect::<Vec<_>>().join("\n"));
    let serving = Serving::start_with(&["--config", all.path().to_str().unwrap()], &keys);
    let (_, _, text) = serving.ask("GET", "/").await;
    assert_eq!(text, "seawall gateway. There is /openai, /anthropic, /billing.\n");
}

#[tokio::test]
async fn the_demo_does_what_its_comments_say() {
    let demo = Serving::start(&["--config", &shipped("llm-demo.toml")]);
    for path in ["/mixed/v1/chat/completions", "/mixed/v1/messages", "/limited/v1/messages"] {
        for _ in 0..4 {
            let (status, _, body) = demo.ask("POST", path).await;
            assert_eq!(status.as_u16(), 200, "{body}");
            assert!(body.contains("All is well that ends well."), "{body}");
        }
    }
    let (status, headers, _) = demo.ask("POST", "/down/v1/messages").await;
    assert_eq!((status.as_u16(), headers["x-should-retry"].to_str().unwrap()), (502, "false"));
    demo.ask("POST", "/down/v1/messages").await;
    let started = Instant::now();
    let (status, headers, body) = demo.ask("POST", "/down/v1/messages").await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status.as_u16(), &problem["cause"]), (503, &"circuit_open".into()));
    assert!(headers.contains_key("retry-after"));
}

#[tokio::test]
async fn one_upstream_that_is_silent_does_not_hold_up_the_requests_after_it() {
    let silent = Origin::start(Script::Silent).await.unwrap();
    let well = Origin::start(Script::Healthy).await.unwrap();
    let file = file(format!(
        "[policy]\nattempt = \"200ms\"\nany_method = true\nopen_after = 2\n[[service]]\nname = \"a\"\n\
         upstream = [{{ url = \"http://{}\" }}, {{ url = \"http://{}\" }}]\n",
        silent.addr(),
        well.addr()
    ));
    let serving = Serving::start(&["--config", file.path().to_str().unwrap()]);
    for _ in 0..20 {
        assert_eq!(serving.ask("POST", "/a/v1/x").await.0, 200);
    }
    assert!(silent.requests() <= 3, "{}", silent.requests());
    assert_eq!(well.requests(), 20);
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_of_any_kind_has_the_policy_for_its_url_and_gets_a_new_one_at_sighup() {
    let down = Origin::start(Script::Status(502)).await.unwrap();
    let url = format!("http://{}", down.addr());
    let retries = |number: u32| {
        format!(
            "[[service]]\nname = \"billing\"\nurl = \"{url}\"\n\
             [[policies.route]]\nprefix = \"{url}/once\"\nretry = \"off\"\n\
             [policies.default.retry]\ntotal = {number}\n"
        )
    };
    let file = file(retries(2));
    let serving = Serving::start(&["--config", file.path().to_str().unwrap()]);
    for (path, requests) in [("/billing/once", 1), ("/billing/often", 4)] {
        assert_eq!(serving.ask("GET", path).await.0, 502);
        assert_eq!(down.requests(), requests);
    }
    fs::write(file.path(), retries(0)).unwrap();
    let mut serving = serving;
    assert!(serving.tell("-HUP").ends_with(" read again"));
    assert_eq!(serving.ask("GET", "/billing/often").await.0, 502);
    assert_eq!(down.requests(), 5);
    fs::write(file.path(), "").unwrap();
    let said = serving.tell("-HUP");
    assert!(said.ends_with("stays in force"), "{said}");
    assert_eq!(serving.ask("GET", "/billing/often").await.0, 502);
    assert_eq!(down.requests(), 6);
}
