//! Invalid configurations: each error is one line with the key, the line and the expected value.

mod cases;

use std::{fs, io, path::Path};

use proptest::prelude::*;

use self::cases::{INVALID, WHOLE_NUMBER};
use super::*;

const NOTHING: &str = "is empty, expected [default] or [[route]]";

#[test]
fn config_error_names_line_key_and_expectation() {
    for (text, line, key, expected) in INVALID {
        let invalid = invalid_config(text);
        let message = invalid.to_string();
        assert_eq!(invalid.line(), Some(*line), "{text:?}: {message}");
        assert_eq!(invalid.key(), Some(*key), "{text:?}: {message}");
        assert!(invalid.reason().contains(expected), "{text:?}: {message}");
        assert_eq!(message, format!("line {line}: {key}: {}", invalid.reason()));
        assert!(!message.contains('\n'), "{message:?}");
    }
}

/// serde's derived structs accept a list in place of a table, with the values in order.
#[test]
fn config_rejects_list_in_place_of_table() {
    for (text, line, key) in [
        ("default = []", 1, "default"),
        ("[[default]]", 1, "default[0]"),
        ("[default]\ntimeouts = []", 2, "default.timeouts"),
        ("[default]\ntimeouts = [\"1s\", \"2s\"]", 2, "default.timeouts"),
        ("[default]\nretry = []", 2, "default.retry"),
        ("[default]\nretry.backoff = [\"none\"]", 2, "default.retry.backoff"),
        ("[default]\nretry.budget = [0.5]", 2, "default.retry.budget"),
        ("[default]\nnext_hop = [\"grpc-timeout\"]", 2, "default.next_hop"),
        ("route = [[\"https://\"]]", 1, "route[0]"),
        ("[[route]]\nprefix = \"https://\"\ntimeouts = []", 3, "route[0].timeouts"),
    ] {
        let invalid = invalid_config(text);
        assert_eq!((invalid.line(), invalid.key()), (Some(line), Some(key)), "{text:?}: {invalid}");
        assert!(invalid.reason().contains("expected a table"), "{text:?}: {invalid}");
    }
    serde_json::from_str::<Config>(r#"[{ "retry": "off" }]"#).unwrap_err();
}

#[test]
fn toml_syntax_error_names_line() {
    for (text, line) in [("\n[default", 2), ("default", 1), ("[default]\na = \u{0}", 2), ("= 1", 1)]
    {
        let invalid = invalid_config(text);
        assert_eq!((invalid.line(), invalid.key()), (Some(line), None), "{invalid}");
        assert!(invalid.to_string().starts_with(&format!("line {line}: ")), "{invalid}");
    }
}

#[test]
fn config_rejects_empty_text() {
    for text in ["", "\n \n", "# nothing yet\n", "\u{feff}"] {
        assert_eq!(invalid_config(text).to_string(), NOTHING, "{text:?}");
    }
    // An empty table is accepted.
    assert_eq!(config("[default]"), Config::default());
}

#[test]
fn config_error_truncates_and_escapes_value() {
    let long = "x".repeat(100_000);
    let invalid = invalid_config(&format!("[default]\nretry = \"{long}\\u0007\""));
    assert!(invalid.to_string().len() < 700, "{}", invalid.to_string().len());
    let invalid = invalid_config("\"a\\u001b[31m\\nb\" = 1");
    assert!(!invalid.to_string().contains(char::is_control), "{invalid:?}");
}

#[test]
fn config_rejects_text_of_one_mebibyte() {
    let text = |length: usize| format!("[default]{}", " ".repeat(length - "[default]".len()));
    assert_eq!(config(&text(1024 * 1024 - 1)), Config::default());
    assert_eq!(
        invalid_config(&text(1024 * 1024)).to_string(),
        "is too long, expected less than 1 MiB"
    );
}

/// Returns the error of a file, and its message after the path.
fn file_error(path: &Path) -> (ConfigError, String) {
    let invalid = Config::from_file(path).unwrap_err();
    assert_eq!(invalid.file(), Some(path));
    let message = invalid.to_string();
    assert!(!message.contains('\n'), "{message:?}");
    let message = message.strip_prefix(&format!("{}", path.display())).unwrap().to_owned();
    (invalid, message)
}

#[test]
fn file_error_names_path_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policies.toml");
    let (invalid, message) = file_error(&path);
    assert!(message.starts_with(": cannot be read: "), "{message}");
    assert_eq!(invalid.io(), Some(io::ErrorKind::NotFound));
    let (invalid, message) = file_error(folder.path());
    assert!(message.starts_with(": cannot be read: ") && invalid.io().is_some(), "{message}");

    for (content, expected) in [
        (&b""[..], format!(": {NOTHING}")),
        (b"[default]\n# \xff\n", ":2: is not UTF-8, expected TOML".to_owned()),
        (b"\xff\xfe[\0d\0", ":1: is not UTF-8, expected TOML".to_owned()),
        (b"[default]\nx = 1", ":2: default.x: unknown field `x`, ".to_owned()),
    ] {
        fs::write(&path, content).unwrap();
        let (invalid, message) = file_error(&path);
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(invalid.io(), None);
    }

    fs::write(&path, "[default.timeouts]\nattempt = \"2s\"\n").unwrap();
    let same = config("default.timeouts.attempt = \"2s\"");
    assert_eq!(Config::from_file(&path).unwrap(), same);
}

#[test]
fn config_rejects_file_of_ten_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policies.toml");
    fs::File::create(&path).unwrap().set_len(10_000_000).unwrap();
    assert_eq!(file_error(&path).1, ": is too long, expected less than 1 MiB");
}

/// Validation must stop reading such a file at the size limit.
#[cfg(unix)]
#[test]
fn config_rejects_endless_file() {
    assert_eq!(file_error(Path::new("/dev/zero")).1, ": is too long, expected less than 1 MiB");
}

#[test]
fn json_has_same_keys_and_validation() {
    let json = r#"{ "default": { "retry": { "total": 5, "budget": "off" }, "timeouts": { "attempt": "2s" } },
        "route": [{ "prefix": "https://", "circuit_breaker": { "failure_ratio": 1 } }] }"#;
    let toml = "[default]\nretry = { total = 5, budget = \"off\" }\ntimeouts.attempt = \"2s\"\n\
        [[route]]\nprefix = \"https://\"\ncircuit_breaker.failure_ratio = 1.0";
    assert_eq!(serde_json::from_str::<Config>(json).unwrap(), config(toml));

    let json_error = |json: &str| serde_json::from_str::<Config>(json).unwrap_err().to_string();
    let duplicate = json_error(r#"{ "route": [{ "prefix": "x://" }, { "prefix": "X://" }] }"#);
    assert!(
        duplicate.starts_with("route[1].prefix: duplicate prefix, first used in route[0].prefix"),
        "{duplicate}"
    );
    // A null differs from an absent key.
    let null = json_error(r#"{ "default": { "retry": { "total": null } } }"#);
    assert!(null.contains(WHOLE_NUMBER), "{null}");
    let above_total = json_error(r#"{ "default": { "timeouts": { "attempt": "40s" } } }"#);
    assert!(
        above_total.starts_with("default.timeouts.attempt: is 40s, expected at most"),
        "{above_total}"
    );
}

const VALID: &str = "[default]\nretry = { total = 5, backoff.kind = \"none\" }\n[default.timeouts]\n\
    attempt = \"2s\"\n[[route]]\nprefix = \"https://a/b\"\nlogging.success = \"off\"\n";

proptest! {
    #[test]
    fn config_accepts_or_explains_arbitrary_text(text in any::<String>()) {
        assert_valid_or_one_line_error(&text);
    }

    #[test]
    fn config_accepts_or_explains_mutated_text(
        at in 0..VALID.len(), removed in 0_usize..12, put in "[a-z0-9\"'=.,\\[\\]{}\n#-]{0,4}",
    ) {
        let end = (at + removed).min(VALID.len());
        assert_valid_or_one_line_error(&format!("{}{put}{}", &VALID[..at], &VALID[end..]));
    }

    #[test]
    fn config_accepts_or_explains_arbitrary_prefix(prefix in "\\PC{0,20}|(https?|x)://[a-zA-Z0-9.:@/?#\\[\\]-]{0,20}") {
        assert_valid_or_one_line_error(&format!("[[route]]\nprefix = '''{prefix}'''"));
    }
}

#[track_caller]
fn assert_valid_or_one_line_error(text: &str) {
    if let Err(invalid) = Config::from_toml(text) {
        let message = invalid.to_string();
        assert!(!message.contains(char::is_control) && message.len() < 1_500, "{message:?}");
    }
}
