//! The report of the load test: a table of the results, and their verification.

use std::{fmt::Write, time::Duration};

use seawall::Cause;

use super::load_test::{LoadTestResult, REQUESTS};
use crate::{exit_error::ExitError, log, terminal};

/// The maximum number of attempts per request. The retry budget allows 20 %, and at least three
/// retries.
const MAX_ATTEMPTS_PER_REQUEST: f64 = 1.25;

/// The maximum for an upstream that always fails. The circuit must reject the other requests.
const MAX_ATTEMPTS_PER_REQUEST_DEAD: f64 = 0.5;

const MIN_SUCCESS_RATIO_FLAKY: f64 = 0.999;

/// The number of columns of the table.
const TABLE_WIDTH: usize = 98;

pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) expected_cause: Option<Cause>,
    pub(crate) direct: LoadTestResult,
    pub(crate) through_gateway: LoadTestResult,
    pub(crate) requests_sent: u64,
}

impl Row {
    /// Returns the cause of all failures, or `None` if nothing failed or the causes differ.
    ///
    /// Includes the diagnoses in the gateway's responses and those of direct requests.
    fn diagnosed_cause(&self) -> Option<Cause> {
        let mut causes = self.through_gateway.upstream_causes();
        causes.extend(self.direct.upstream_causes());
        let first = causes.first().copied();
        causes.iter().all(|cause| Some(*cause) == first).then_some(first)?
    }

    fn is_diagnosis_correct(&self) -> bool {
        self.diagnosed_cause() == self.expected_cause
    }

    /// Returns whether no direct request succeeded.
    fn is_dead(&self) -> bool {
        self.direct.success_ratio() == 0.0
    }

    /// Returns the number of requests to the upstream per request to the gateway.
    fn attempts_per_request(&self) -> f64 {
        self.requests_sent as f64 / REQUESTS as f64
    }
}

/// Formats the rows as a table, or as lists if the terminal is narrower than the table.
pub(crate) fn table(rows: &[Row], attempt_timeout: Duration, width: Option<usize>) -> String {
    let title = format!(
        "{REQUESTS} requests to each upstream directly, and {REQUESTS} through seawall; attempt timeout {}",
        format_millis(attempt_timeout)
    );
    if let Some(width) = width.filter(|width| *width < TABLE_WIDTH) {
        return format!("{}\n{}", terminal::wrap(&title, width), lists(rows));
    }
    let mut out = title + "\n\n";
    for header in [
        ["", "success", "attempts/", "rejected by", "seawall", "seawall", "diagnosed"],
        ["upstream", "direct → seawall", "request", "circuit", "p50", "p99", "cause"],
    ] {
        write_line(&mut out, header.map(String::from));
    }
    write_line(&mut out, [10, 19, 9, 11, 7, 7, 23].map(|width| "─".repeat(width)));
    for row in rows {
        write_line(
            &mut out,
            [
                row.name.clone(),
                format!(
                    "{}  → {}",
                    format_success(&row.direct),
                    format_success(&row.through_gateway)
                ),
                format!("{:.2}", row.attempts_per_request()),
                format!("{:.0} %", row.through_gateway.rejected_ratio() * 100.0),
                format_millis(row.through_gateway.percentile(0.5)),
                format_millis(row.through_gateway.percentile(0.99)),
                format_diagnosis(row),
            ],
        );
    }
    out
}

/// Formats each row as a list of short lines.
fn lists(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        let Row { name, direct, through_gateway, .. } = row;
        let [direct, success] = [direct, through_gateway].map(format_success);
        let [p50, p99] = [0.5, 0.99].map(|ratio| format_millis(through_gateway.percentile(ratio)));
        let _ = write!(
            out,
            "\n{name}\n  success   {} → {}\n  attempts  {:.2} per request\n  rejected  {:.0} %\n  \
             p50, p99  {p50}, {p99}\n  cause     {}\n",
            direct.trim(),
            success.trim(),
            row.attempts_per_request(),
            through_gateway.rejected_ratio() * 100.0,
            format_cause(row.diagnosed_cause()),
        );
        if !row.is_diagnosis_correct() {
            let _ = writeln!(out, "  expected  {}", format_cause(row.expected_cause));
        }
    }
    out
}

fn format_success(result: &LoadTestResult) -> String {
    format!("{:5.1} %", result.success_ratio() * 100.0)
}

/// Checks the results and prints the verdict.
///
/// Every diagnosis must be correct, and the attempts per request must be bounded. The circuit of an
/// upstream that is not dead must reject no request. The requests to flaky must succeed.
pub(crate) fn verify(rows: &[Row]) -> Result<(), ExitError> {
    let problems: Vec<_> = rows.iter().flat_map(find_problems).collect();
    if problems.is_empty() {
        let verdict = "seawall hid the failures of flaky, limited the load of retries, and diagnosed \
                       every fault.";
        log::print_line(&terminal::fit(verdict.into()));
        Ok(())
    } else {
        Err(ExitError::Failure(problems.join("; ")))
    }
}

fn find_problems(row: &Row) -> Vec<String> {
    let name = &row.name;
    let mut problems = Vec::new();
    if !row.is_diagnosis_correct() {
        let [expected, found] = [row.expected_cause, row.diagnosed_cause()].map(format_cause);
        problems.push(format!("{name}: expected the diagnosis {expected}, found {found}"));
    }
    let max_attempts =
        if row.is_dead() { MAX_ATTEMPTS_PER_REQUEST_DEAD } else { MAX_ATTEMPTS_PER_REQUEST };
    let attempts = row.attempts_per_request();
    if attempts > max_attempts {
        problems.push(format!(
            "{name}: expected at most {max_attempts} attempts per request, found {attempts:.2}"
        ));
    }
    let rejected = row.through_gateway.rejected_ratio();
    if !row.is_dead() && rejected > 0.0 {
        problems.push(format!(
            "{name}: expected no rejected requests, found {:.1} %",
            rejected * 100.0
        ));
    }
    let success = row.through_gateway.success_ratio();
    if name == "flaky" && success < MIN_SUCCESS_RATIO_FLAKY {
        problems.push(format!(
            "{name}: expected {:.1} % successful requests, found {:.1} %",
            MIN_SUCCESS_RATIO_FLAKY * 100.0,
            success * 100.0
        ));
    }
    problems
}

fn write_line(out: &mut String, cells: [String; 7]) {
    let [name, success, attempts, rejected, p50, p99, cause] = cells;
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{name:<10}  {success:<19}  {attempts:>9}  {rejected:>11}  {p50:>7}  {p99:>7}  {cause}"
    );
}

fn format_millis(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1e3;
    if millis < 9.95 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

fn format_diagnosis(row: &Row) -> String {
    let cause = format_cause(row.diagnosed_cause());
    let wrong = if row.is_diagnosis_correct() { "" } else { "  (wrong)" };
    format!("{cause}{wrong}")
}

fn format_cause(cause: Option<Cause>) -> &'static str {
    cause.map_or("—", Cause::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_fits_into_40_columns_and_wide_terminal_has_a_table() {
        let row = |name: &str, expected_cause| Row {
            name: name.into(),
            expected_cause,
            direct: LoadTestResult::default(),
            through_gateway: LoadTestResult::default(),
            requests_sent: 250,
        };
        let rows = [row("truncated", None), row("silent", Some(Cause::HttpResponseTimeout))];
        let timeout = Duration::from_millis(250);
        let narrow = table(&rows, timeout, Some(40));
        for line in narrow.lines() {
            assert!(line.chars().count() <= 40, "{line}");
        }
        assert!(narrow.contains("\ntruncated\n  success   0.0 % → 0.0 %\n"), "{narrow}");
        assert!(narrow.ends_with("  expected  http_response_timeout\n"), "{narrow}");
        let wide = table(&rows[..1], timeout, Some(TABLE_WIDTH));
        assert_eq!(wide, table(&rows[..1], timeout, None));
        assert!(wide.lines().all(|line| line.chars().count() <= TABLE_WIDTH), "{wide}");
    }
}
