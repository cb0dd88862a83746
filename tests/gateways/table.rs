//! The table of classifications.

use std::fmt;

use seawall::Failure;

use crate::client::CallResult;

/// A table with one row per scenario.
pub(crate) struct Table {
    rows: Vec<[String; 8]>,
    notes: &'static [&'static str],
}

const HEADER: [&str; 8] =
    ["gateway", "origin", "status", "cause", "reporter", "processed", "sent", "origin received"];

const LEGEND: &str = "Three values: a GET, a POST, and a POST on a reused connection. \
    Cause, reporter and processed refer to the GET.";

impl Table {
    pub(crate) fn new(notes: &'static [&'static str]) -> Self {
        Self { rows: vec![HEADER.map(String::from)], notes }
    }

    /// Adds a row. `received` has the numbers of requests that the origin received from the stack.
    pub(crate) fn add_row(
        &mut self,
        gateway: &str,
        scenario: &str,
        results: &[CallResult],
        received: &[u64],
    ) {
        let get = &results[0];
        let status =
            |call: &CallResult| call.status.map_or("none".into(), |status| status.to_string());
        let failure = get.failure.or(get.body.as_ref().err().copied());
        let describe = |field: fn(Failure) -> &'static str| failure.map_or("-", field).to_owned();
        self.rows.push([
            gateway.into(),
            scenario.into(),
            join(results, status),
            describe(|failure| failure.cause().as_str()),
            describe(|failure| failure.reporter().as_str()),
            describe(|failure| failure.processed().as_str()),
            join(results, |call| call.sent.to_string()),
            join(received, u64::to_string),
        ]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                let width = self.rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
                write!(f, "{cell:<width$}  ")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "{LEGEND}")?;
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

fn join<T>(values: &[T], format: impl Fn(&T) -> String) -> String {
    values.iter().map(format).collect::<Vec<_>>().join(" ")
}
