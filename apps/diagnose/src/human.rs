//! A report for a person.

use std::{fmt::Write, time::Duration};

use anstyle::{AnsiColor, Style};

use crate::{
    report::{Line, Outcome, Report},
    words,
};

const WIDTH: usize = 88;
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// With colours; the stream takes them away where nobody sees them. Writing to a string does not fail.
pub(crate) fn of(report: &Report) -> String {
    let mut out = String::new();
    if report.embedded {
        out.push_str(
            "No URL given: this is the embedded upstream, a gateway before a dead origin.\n\n",
        );
    }
    let _ = writeln!(out, "{BOLD}{} {}{BOLD:#}\n", report.method, report.url);
    for step in &report.steps {
        let name = step.stage.as_str().to_uppercase();
        line(&mut out, "  ", &format!("{name:<4}"), &step.line);
        for (name, part) in &step.parts {
            line(&mut out, "         ", &format!("{name:<24}"), part);
        }
    }
    out.push('\n');
    match &report.failure {
        Some(failure) => {
            let mut cause = format!("{} ({})", words::cause(failure.cause()), failure.cause());
            if let Some(wait) = failure.retry_after() {
                let _ = write!(cause, "; the server asks to wait {} s", wait.as_secs());
            }
            part(&mut out, "Failed", &cause);
            part(&mut out, "Where", &words::hop(report, failure));
            if let Some(evidence) = words::evidence(report) {
                part(&mut out, "Because", evidence.summary());
            }
            part(&mut out, "Request", words::processed(failure));
            part(&mut out, "Next", failure.cause().advice());
            for (at, check) in (1..).zip(failure.cause().checks()) {
                part(&mut out, "", &format!("{at}. {check}"));
            }
        }
        None => part(&mut out, "Healthy", "every step succeeded"),
    }
    if let Some(answer) = &report.answer {
        if report.failure.is_some() || (300..400).contains(&answer.status) {
            for (at, (name, value)) in answer.fields.iter().enumerate() {
                part(&mut out, if at == 0 { "Headers" } else { "" }, &format!("{name}: {value}"));
            }
        }
        if !answer.says.is_empty() {
            part(&mut out, "Body", &answer.says);
        }
    }
    // Not wrapped: it is to be copied.
    let _ = writeln!(out, "  {DIM}By hand{DIM:#}  {}", report.curl);
    out
}

fn line(out: &mut String, indent: &str, name: &str, line: &Line) {
    let (colour, mark) = match line.outcome {
        Outcome::Good => (AnsiColor::Green, '✓'),
        Outcome::Warning => (AnsiColor::Yellow, '!'),
        Outcome::Bad => (AnsiColor::Red, '✗'),
    };
    let style = colour.on_default();
    let time = time(line.time);
    let _ = writeln!(
        out,
        "{indent}{style}{mark}{style:#} {name} {DIM}{time:>8}{DIM:#}  {}",
        line.detail
    );
}

fn part(out: &mut String, name: &str, text: &str) {
    for (at, line) in textwrap::wrap(text, WIDTH - 11).iter().enumerate() {
        let name = if at == 0 { name } else { "" };
        let _ = writeln!(out, "  {DIM}{name:<7}{DIM:#}  {line}");
    }
}

fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}
