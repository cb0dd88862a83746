//! The report of the load test: a table, and the verification of its rows.

use std::{fmt::Write, time::Duration};

use seawall::Cause;

use super::load_test::{LoadTestResult, REQUESTS};
use crate::exit_error::ExitError;

/// The load that retries may cause: the budget's 20 %, and the three retries that it always allows.
const MAX_LOAD: f64 = 1.25;

/// The load that a dead upstream may receive. The circuit must reject the rest.
const MAX_LOAD_DEAD: f64 = 0.5;

const MIN_SUCCESS_FLAKY: f64 = 0.999;

pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) expected_cause: Option<Cause>,
    pub(crate) direct: LoadTestResult,
    pub(crate) through_gateway: LoadTestResult,
    pub(crate) requests_sent: u64,
}

impl Row {
    /// Returns the cause that all failures were classified as.
    ///
    /// The gateway's responses and the client's own classification both count. Returns `None` if nothing failed or the
    /// causes differ.
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

    /// Returns the requests sent upstream per request of the caller.
    fn load(&self) -> f64 {
        self.requests_sent as f64 / REQUESTS as f64
    }
}

/// Formats the rows as a table.
pub(crate) fn table(rows: &[Row], attempt_timeout: Duration) -> String {
    let mut out = format!(
        "{REQUESTS} requests to each upstream, directly and through seawall; attempt timeout {attempt_timeout:?}\n\n"
    );
    let header = [
        "upstream",
        "requests",
        "success direct → seawall",
        "sent/request",
        "rejected",
        "p50",
        "p99",
        "diagnosed cause",
    ];
    write_line(&mut out, header.map(String::from));
    write_line(&mut out, [10, 8, 24, 12, 8, 7, 7, 23].map(|width| "─".repeat(width)));
    for row in rows {
        let success = |result: &LoadTestResult| format!("{:5.1} %", result.success_ratio() * 100.0);
        write_line(
            &mut out,
            [
                row.name.clone(),
                REQUESTS.to_string(),
                format!("{}  → {}", success(&row.direct), success(&row.through_gateway)),
                format!("{:.2}", row.load()),
                format!("{:.0} %", row.through_gateway.rejected_ratio() * 100.0),
                format_millis(row.through_gateway.percentile(0.5)),
                format_millis(row.through_gateway.percentile(0.99)),
                format_diagnosis(row),
            ],
        );
    }
    out
}

/// Checks the demo's promises: correct diagnoses, bounded load, no rejected requests to a live upstream, and no failure of
/// the flaky upstream for the caller.
pub(crate) fn verify(rows: &[Row]) -> Result<(), ExitError> {
    let broken: Vec<_> = rows.iter().flat_map(broken_promises).collect();
    if broken.is_empty() {
        println!("Every diagnosis is correct.");
        Ok(())
    } else {
        Err(ExitError::Failure(broken.join("; ")))
    }
}

fn broken_promises(row: &Row) -> Vec<String> {
    let name = &row.name;
    let mut broken = Vec::new();
    if !row.is_diagnosis_correct() {
        broken.push(format!("the diagnosis of {name} is wrong"));
    }
    if row.load() > if row.is_dead() { MAX_LOAD_DEAD } else { MAX_LOAD } {
        broken.push(format!("{name} received {:.2} requests per request", row.load()));
    }
    if !row.is_dead() && row.through_gateway.rejected_ratio() > 0.0 {
        broken.push(format!("requests to {name} were rejected although it is not dead"));
    }
    let success = row.through_gateway.success_ratio();
    if name == "flaky" && success < MIN_SUCCESS_FLAKY {
        broken.push(format!("only {:.1} % of the requests to flaky succeeded", success * 100.0));
    }
    broken
}

fn write_line(out: &mut String, cells: [String; 8]) {
    let [name, requests, success, load, rejected, p50, p99, cause] = cells;
    // Infallible: the target is a string.
    let _ = writeln!(
        out,
        "{name:<10}  {requests:>8}  {success:<24}  {load:>12}  {rejected:>8}  {p50:>7}  {p99:>7}  {cause}"
    );
}

fn format_millis(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1e3;
    if millis < 9.95 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

fn format_diagnosis(row: &Row) -> String {
    let cause = row.diagnosed_cause().map_or("—", Cause::as_str);
    let wrong = if row.is_diagnosis_correct() { "" } else { "  (wrong)" };
    format!("{cause}{wrong}")
}
