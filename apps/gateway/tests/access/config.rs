//! Invalid settings of access.

use std::fs;

use crate::{setup::VARIABLES, support::gateway};

const SERVICE: &str = "[[service]]\nname = \"a\"\nurl = \"http://h\"\n";
const CLIENT: &str = "[[client]]\nname = \"c\"\ntoken_env = \"TEST_TOKEN_ANN\"\n";

/// Returns the line on standard error.
fn config_error(text: &str) -> String {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap();
    let mut command = gateway(&["--config", path, "--listen", "127.0.0.1:0"]);
    command
        .envs(VARIABLES)
        .env("TEST_EMPTY", " ")
        .env("TEST_UMLAUT", "k\u{fc}")
        .env_remove("UNSET");
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
    assert!(output.stdout.is_empty());
    message.trim().replace(path, "FILE")
}

#[test]
fn invalid_setting_is_reported_in_one_line_with_position() {
    let key = |variable: &str| CLIENT.replace("TEST_TOKEN_ANN", variable);
    for (access, expected) in [
        (format!("{CLIENT}tokn = 1\n"), "FILE:7: unknown field `tokn`, expected one of `name`"),
        ("[[client]]\nname = \"c\"\n".into(), "FILE:4: missing field `token_env`"),
        ("[[client]]\ntoken_env = \"TEST_TOKEN_ANN\"\n".into(), "FILE:4: missing field `name`"),
        (CLIENT.replace("\"c\"", "\"\""), "FILE:5: name: expected a name"),
        (key("UNSET"), "FILE:6: token_env: expected a key in the environment variable `UNSET`"),
        (
            key("TEST_EMPTY"),
            "FILE:6: token_env: expected a key that is not empty in the environment variable `TEST_EMPTY`",
        ),
        (
            key("TEST_UMLAUT"),
            "FILE:6: token_env: expected a key in ASCII in the environment variable `TEST_UMLAUT`",
        ),
        (key(""), "FILE:6: token_env: expected the name of an environment variable"),
        (format!("{CLIENT}{CLIENT}"), "FILE:8: name: `c` is already the name of another client"),
        (
            format!("{CLIENT}{}", CLIENT.replace("\"c\"", "\"d\"")),
            "FILE:8: name: `d` has the token of another client",
        ),
        (
            format!("{CLIENT}services = [\"a\", \"b\"]\n"),
            "FILE:7: services: expected a service, found `b`",
        ),
        (format!("{CLIENT}services = []\n"), "FILE:5: name: `c` may use no service"),
        ("[admin]\n".into(), "FILE:4: missing field `token_env`"),
        (
            "[admin]\ntoken_env = \"UNSET\"\n".into(),
            "FILE:5: token_env: expected a key in the environment variable `UNSET`",
        ),
        (
            "[admin]\ntoken_env = \"TEST_TOKEN_ADMIN\"\nloopbak = true\n".into(),
            "FILE:6: unknown field `loopbak`, expected `token_env` or `loopback`",
        ),
        (
            format!("[admin]\ntoken_env = \"TEST_TOKEN_ANN\"\n{CLIENT}"),
            "FILE:5: token_env: expected another token than that of `c`",
        ),
        ("[limit]\nburst = 1\n".into(), "FILE:4: missing field `requests_per_minute`"),
        (
            "[limit]\nburst = 0\nrequests_per_minute = 1\n".into(),
            "FILE:5: burst: invalid value: integer `0`",
        ),
    ] {
        let message = config_error(&format!("{SERVICE}{access}"));
        assert!(message.starts_with(expected), "{message}\nfor {access}");
        assert!(!message.contains("token-of") && !message.contains('\u{fc}'), "{message}");
    }
}

#[test]
fn invalid_origin_is_reported_in_one_line_with_position() {
    for origin in [
        "*",
        "null",
        "app.example",
        "https://app.example/",
        "https://app.example/a",
        "https://App.example",
        "https://*.example",
        "https://app.example:443",
        "https://user@app.example",
    ] {
        let message = config_error(&format!("allowed_origins = [\"{origin}\"]\n{SERVICE}"));
        let expected = "FILE:1: allowed_origins: expected an origin such as `https://app.example`";
        assert!(message.starts_with(expected), "{message}\nfor {origin}");
    }
}
