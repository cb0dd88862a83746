//! The counts of repeated diagnoses.

use std::collections::BTreeMap;

use crate::report::Report;

#[derive(Debug, Default)]
pub(crate) struct RunCounts {
    pub(crate) total: usize,
    /// Failed runs by cause.
    pub(crate) causes: BTreeMap<&'static str, usize>,
}

impl RunCounts {
    pub(crate) fn record(&mut self, report: &Report) {
        self.total += 1;
        if let Some(failure) = &report.failure {
            *self.causes.entry(failure.cause().as_str()).or_default() += 1;
        }
    }

    pub(crate) fn failed(&self) -> usize {
        self.causes.values().sum()
    }

    /// Returns one line for the terminal.
    pub(crate) fn summary(&self) -> String {
        let causes: Vec<_> =
            self.causes.iter().map(|(cause, count)| format!("{cause} × {count}")).collect();
        let colon = if causes.is_empty() { "" } else { ": " };
        format!("{} of {} runs failed{colon}{}", self.failed(), self.total, causes.join(", "))
    }
}
