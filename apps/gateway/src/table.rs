//! The table for a person.

use std::{fmt::Write, time::Duration};

use seawall::Cause;

use crate::traffic::{REQUESTS, Results};

pub(crate) struct Row {
    pub(crate) name: String,
    /// What is wrong with the upstream.
    pub(crate) truth: Option<Cause>,
    pub(crate) bare: Results,
    pub(crate) through: Results,
    pub(crate) sent: u64,
}

impl Row {
    /// What seawall concluded: from what its gateway answered, or, where it let nothing through, from the failures
    /// that the classifier saw bare. `None`: nothing failed, or the failures were not all taken for the same.
    pub(crate) fn concluded(&self) -> Option<Cause> {
        let mut causes = self.through.causes();
        causes.extend(self.bare.causes());
        let first = causes.first().copied();
        causes.iter().all(|cause| Some(*cause) == first).then_some(first)?
    }

    /// Whether nothing asked of it bare succeeded.
    pub(crate) fn is_dead(&self) -> bool {
        self.bare.success() == 0.0
    }

    /// Requests that the upstream was sent for each request of a caller.
    pub(crate) fn load(&self) -> f64 {
        self.sent as f64 / REQUESTS as f64
    }
}

pub(crate) fn of(rows: &[Row], attempt: Duration) -> String {
    let mut out = format!(
        "{REQUESTS} requests to each upstream, bare and through seawall; an attempt may take {attempt:?}\n\n"
    );
    let head = [
        "upstream",
        "requests",
        "success bare → seawall",
        "sent/request",
        "refused",
        "p50",
        "p99",
        "concluded",
    ];
    line(&mut out, head.map(String::from));
    line(&mut out, [10, 8, 22, 12, 7, 7, 7, 23].map(|width| "─".repeat(width)));
    for row in rows {
        let percent = |results: &Results| format!("{:5.1} %", results.success() * 100.0);
        line(
            &mut out,
            [
                row.name.clone(),
                REQUESTS.to_string(),
                format!("{}  → {}", percent(&row.bare), percent(&row.through)),
                format!("{:.2}", row.load()),
                format!("{:.0} %", row.through.refused() * 100.0),
                time(row.through.percentile(0.5)),
                time(row.through.percentile(0.99)),
                conclusion(row),
            ],
        );
    }
    out
}

fn line(out: &mut String, cells: [String; 8]) {
    let [name, requests, success, load, refused, p50, p99, concluded] = cells;
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{name:<10}  {requests:>8}  {success:<22}  {load:>12}  {refused:>7}  {p50:>7}  {p99:>7}  {concluded}"
    );
}

fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 9.95 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

fn conclusion(row: &Row) -> String {
    let concluded = row.concluded().map_or("—", Cause::as_str);
    let wrong = if row.concluded() == row.truth { "" } else { "  (wrong)" };
    format!("{concluded}{wrong}")
}
