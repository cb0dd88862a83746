//! Asking several times.

use std::collections::BTreeMap;

use crate::report::Report;

#[derive(Debug, Default)]
pub(crate) struct Tries {
    pub(crate) total: usize,
    pub(crate) causes: BTreeMap<&'static str, usize>,
}

impl Tries {
    pub(crate) fn add(&mut self, report: &Report) {
        self.total += 1;
        if let Some(failure) = &report.failure {
            *self.causes.entry(failure.cause().as_str()).or_default() += 1;
        }
    }

    pub(crate) fn failed(&self) -> usize {
        self.causes.values().sum()
    }

    pub(crate) fn summary(&self) -> String {
        let causes: Vec<_> =
            self.causes.iter().map(|(cause, count)| format!("{cause} × {count}")).collect();
        let colon = if causes.is_empty() { "" } else { ": " };
        format!("{} of {} tries failed{colon}{}", self.failed(), self.total, causes.join(", "))
    }
}
