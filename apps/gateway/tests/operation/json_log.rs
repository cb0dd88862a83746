//! Errors that end the program, in the format of `--log`.

use std::process::Output;

use crate::{config_file, json_lines, path, support::gateway};

fn assert_one_json_error(output: &Output, status: i32, text: &str) {
    let log = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = json_lines(&log);
    let [line] = &lines[..] else { panic!("{log}") };
    assert_eq!((output.status.code(), &line["level"]), (Some(status), &"ERROR".into()), "{log}");
    let fields = &line["fields"];
    assert_eq!(fields["exit_status"], status);
    assert!(fields["message"].as_str().unwrap().contains(text), "{log}");
    assert!(output.stdout.is_empty());
}

#[test]
fn error_at_start_is_one_json_line() {
    let invalid = config_file("[[service]]\nname = \"a\"\ndialect = \"\\u001b[31m\"\n");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let used = listener.local_addr().unwrap().to_string();
    for (arguments, text) in [
        (&["--nope", "--log", "json"][..], "unexpected argument '--nope'"),
        (&["--log=json", "--upstream", "a=ftp://h"], "expected a URL with http://"),
        (&["--log", "json", "--upstream", "a=http://h", "--upstream", "a=http://h"], "a twice"),
        (&["--config", path(&invalid), "--log", "json"], ":3: dialect: unknown variant"),
        (&["--config", "/nowhere", "--log", "json"], "cannot read /nowhere"),
        (&["--listen", &used, "--log", "json"], "cannot listen on"),
    ] {
        assert_one_json_error(&gateway(arguments).output().unwrap(), 2, text);
    }
}

#[test]
fn text_error_escapes_control_characters() {
    let output = gateway(&["--upstream", "a=\u{1b}[31m\u{7}http://h"]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), log.lines().count()), (Some(2), 1), "{log}");
    assert!(!log.contains(['\u{1b}', '\u{7}']), "{log}");
}
