//! Narrow terminals, closed pipes and full disks.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::{
    program::{command, run, text},
    server::{start_greeting, start_response},
};

/// Runs `https` against a server of plain HTTP, whose next steps contain long commands.
async fn url_with_long_steps() -> String {
    format!("https://{}/", start_greeting(b"SSH-2.0-OpenSSH_9.6p1 Debian-3+deb13u1\r\n").await)
}

#[tokio::test]
async fn lines_fit_into_40_columns() {
    let word: &[u8] = b"HTTP/1.1 502 x\r\nserver: a-very-long-name-without-a-space-that-a-proxy-may-send\r\n\
        content-length: 90\r\n\r\n{\"error\":\"a-long-word-of-json-without-any-space\",\"detail\":\"0123456789-0123456789-012345\"}  ";
    for url in [url_with_long_steps().await, format!("http://{}/", start_response(word).await)] {
        let mut command = command(&[&url]);
        command.env("COLUMNS", "40");
        let output = run(command).await;
        let text = String::from_utf8(output.stdout).unwrap();
        // A person copies the command, so that it has no line breaks.
        let (report, copied) = text.rsplit_once("  Command\n").unwrap();
        assert_eq!(copied.lines().count(), 1, "{text}");
        for line in report.lines() {
            assert!(line.chars().count() <= 40, "{line:?} in\n{text}");
        }
    }
}

#[tokio::test]
async fn columns_of_terminal_set_width() {
    let url = url_with_long_steps().await;
    let program = env!("CARGO_BIN_EXE_seawall-diagnose");
    // `script` runs a command in a pseudo-terminal, and is part of Debian's base.
    let mut script = std::process::Command::new("script");
    script
        .args(["-qec", &format!("stty rows 24 cols 40; {program} {url}"), "/dev/null"])
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    let output = run(script).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let report = text.rsplit_once("  Command\r\n").unwrap().0;
    let report = &report[report.find("GET ").unwrap()..];
    assert!(report.contains("\r\n  Next\r\n"), "{text:?}");
    for line in report.lines() {
        assert!(line.chars().count() <= 40, "{line:?} in\n{text}");
    }
}

#[tokio::test]
async fn piped_text_has_88_columns() {
    let text = text(&[&url_with_long_steps().await]).await;
    assert!(text.lines().any(|line| line.starts_with("  Next     ")), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 88), "{text}");
}

/// The first line of the output is read, and the pipe is closed, as `head -1` does. Then the
/// second is closed before the program writes anything.
#[tokio::test]
async fn program_does_not_panic_when_output_is_closed() {
    for arguments in [&[][..], &["--json"], &["--repeat", "2"], &["--help"], &["--version"]] {
        for reads_a_line in [true, false] {
            let mut child =
                command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            if reads_a_line {
                out.read_line(&mut String::new()).unwrap();
            }
            drop(out);
            let output = child.wait_with_output().unwrap();
            assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
            assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
        }
    }
}

#[test]
fn usage_error_does_not_panic_when_standard_error_is_closed() {
    let mut child = command(&["--nope"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    // A panic exits with 101.
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn full_disk_is_one_line_and_exits_2() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = command(&["--json"]).stdout(full).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.starts_with("cannot write the report: ") && error.lines().count() == 1,
        "{error}"
    );
}
