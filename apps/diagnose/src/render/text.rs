//! The report as text for a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{duration::format_duration, page::Page};
use crate::{
    explain,
    report::{Check, Outcome, Report},
};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Renders the report in color, for a terminal with so many columns. The output stream removes the colors unless it is a terminal.
// The results of `write!` are ignored, because writing to a string does not fail.
pub(crate) fn render(report: &Report, columns: usize) -> String {
    let mut page = Page::new(columns);
    if report.embedded {
        page.text(
            "No URL given: diagnosing the built-in upstream, a gateway with an origin that is down.",
        );
        page.empty_line();
    }
    page.unwrapped(&format!("{BOLD}{} {}{BOLD:#}", report.method, report.url));
    page.empty_line();
    for step in &report.steps {
        let name = step.stage.as_str().to_uppercase();
        push_check(&mut page, 2, &format!("{name:<4}"), &step.check);
        for (address, check) in &step.addresses {
            push_check(&mut page, 9, &format!("{address:<24}"), check);
        }
    }
    page.empty_line();
    match &report.failure {
        Some(failure) => {
            let mut cause = failure.cause().to_string();
            if let Some(wait) = failure.retry_after() {
                let _ = write!(cause, ", retry after {} s", wait.as_secs());
            }
            page.section("Failed", &cause);
            page.section("Where", &explain::hop(report, failure));
            if let Some(evidence) = report.evidence() {
                page.section("Reason", evidence.summary());
            }
            page.section("Request", explain::processed(report, failure));
            let (advice, checks) = explain::next_steps(report, failure);
            page.section("Next", &advice);
            for (number, check) in (1..).zip(checks) {
                page.section("", &format!("{number}. {check}"));
            }
        }
        None => page.section("Healthy", "every step succeeded"),
    }
    if let Some(response) = &report.response {
        if report.failure.is_some() || (300..400).contains(&response.status) {
            for (index, (name, value)) in response.headers.iter().enumerate() {
                page.section(if index == 0 { "Headers" } else { "" }, &format!("{name}: {value}"));
            }
        }
        if !response.body_excerpt.is_empty() {
            page.section("Body", &response.body_excerpt);
        }
    }
    page.command("Command", &report.curl);
    page.into_string()
}

fn push_check(page: &mut Page, indent: usize, name: &str, check: &Check) {
    let (color, mark) = match check.outcome {
        Outcome::Ok => (AnsiColor::Green, '✓'),
        Outcome::Warning => (AnsiColor::Yellow, '!'),
        Outcome::Failed => (AnsiColor::Red, '✗'),
    };
    let style = color.on_default();
    let duration = format_duration(check.duration);
    let label = format!("{style}{mark}{style:#} {name} {DIM}{duration:>8}{DIM:#}");
    let label_width = 2 + name.chars().count() + 1 + duration.chars().count().max(8);
    page.item(indent, &label, label_width, &check.detail);
}
