//! The report as text for a terminal.

use std::{fmt::Write, time::Duration};

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::{
    explain,
    report::{Check, Outcome, Report},
};

const LINE_WIDTH: usize = 88;
/// The width of the label and the white space around it.
const LABEL_WIDTH: usize = 11;
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Renders the report in color. The output stream removes the colors unless it is a terminal.
// The results of `write!` are ignored, because writing to a string does not fail.
pub(crate) fn render(report: &Report) -> String {
    let mut out = String::new();
    if report.embedded {
        out.push_str(
            "No URL given: diagnosing the built-in upstream, a gateway with an origin that is down.\n\n",
        );
    }
    let _ = writeln!(out, "{BOLD}{} {}{BOLD:#}\n", report.method, report.url);
    for step in &report.steps {
        let name = step.stage.as_str().to_uppercase();
        push_check(&mut out, "  ", &format!("{name:<4}"), &step.check);
        for (address, check) in &step.addresses {
            push_check(&mut out, "         ", &format!("{address:<24}"), check);
        }
    }
    out.push('\n');
    match &report.failure {
        Some(failure) => {
            let mut cause = failure.cause().to_string();
            if let Some(wait) = failure.retry_after() {
                let _ = write!(cause, ", retry after {} s", wait.as_secs());
            }
            push_section(&mut out, "Failed", &cause);
            push_section(&mut out, "Where", &explain::hop(report, failure));
            if let Some(evidence) = report.evidence() {
                push_section(&mut out, "Reason", evidence.summary());
            }
            push_section(&mut out, "Request", explain::processed(report, failure));
            push_section(&mut out, "Next", &explain::advice(report, failure));
            for (number, check) in (1..).zip(explain::checks(report, failure)) {
                push_section(&mut out, "", &format!("{number}. {check}"));
            }
        }
        None => push_section(&mut out, "Healthy", "every step succeeded"),
    }
    if let Some(response) = &report.response {
        if report.failure.is_some() || (300..400).contains(&response.status) {
            for (index, (name, value)) in response.headers.iter().enumerate() {
                push_section(
                    &mut out,
                    if index == 0 { "Headers" } else { "" },
                    &format!("{name}: {value}"),
                );
            }
        }
        if !response.body_excerpt.is_empty() {
            push_section(&mut out, "Body", &response.body_excerpt);
        }
    }
    // The command is not wrapped, so that it can be copied.
    let _ = writeln!(out, "  {DIM}Command{DIM:#}  {}", report.curl);
    out
}

fn push_check(out: &mut String, indent: &str, name: &str, check: &Check) {
    let (color, mark) = match check.outcome {
        Outcome::Ok => (AnsiColor::Green, '✓'),
        Outcome::Warning => (AnsiColor::Yellow, '!'),
        Outcome::Failed => (AnsiColor::Red, '✗'),
    };
    let style = color.on_default();
    let duration = format_duration(check.duration);
    let _ = writeln!(
        out,
        "{indent}{style}{mark}{style:#} {name} {DIM}{duration:>8}{DIM:#}  {}",
        check.detail
    );
}

fn push_section(out: &mut String, label: &str, text: &str) {
    let text = join_commands(text);
    let options = Options::new(LINE_WIDTH - LABEL_WIDTH)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    for (index, line) in textwrap::wrap(&text, options).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(out, "  {DIM}{label:<7}{DIM:#}  {}", line.replace(NO_BREAK_SPACE, " "));
    }
}

const NO_BREAK_SPACE: &str = "\u{a0}";

/// Prevents line breaks inside commands, which are between backticks.
fn join_commands(text: &str) -> String {
    let segments = text.split('`').enumerate().map(|(index, segment)| {
        let is_command = index % 2 == 1;
        if is_command { segment.replace(' ', NO_BREAK_SPACE) } else { segment.to_owned() }
    });
    segments.collect::<Vec<_>>().join("`")
}

fn format_duration(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}
