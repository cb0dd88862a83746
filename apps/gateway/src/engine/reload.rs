//! The result of a reload, and the state of the configuration.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::router::ActiveService;
use crate::{config::Config, log};

/// The difference between two configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ReloadReport {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    unchanged: Vec<String>,
    /// The changed sections without a service of their own.
    sections: Vec<&'static str>,
}

impl ReloadReport {
    /// Compares services by their identity: an unchanged service still runs.
    pub(super) fn new(old: (&Config, &[ActiveService]), new: (&Config, &[ActiveService])) -> Self {
        let mut report = Self { sections: new.0.changed_sections(old.0), ..Self::default() };
        for service in new.1 {
            let name = service.config.name();
            let list = match old.1.iter().find(|old| old.config.name() == name) {
                None => &mut report.added,
                Some(old) if service.is_same_as(old) => &mut report.unchanged,
                Some(_) => &mut report.changed,
            };
            list.push(name.to_owned());
        }
        let is_gone = |old: &&ActiveService| {
            !new.1.iter().any(|service| service.config.name() == old.config.name())
        };
        let gone = old.1.iter().filter(is_gone);
        report.removed = gone.map(|service| service.config.name().to_owned()).collect();
        report
    }

    /// Returns the fields of the event.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        Map::from_iter([("reload".to_owned(), json!(self))])
    }
}

impl fmt::Display for ReloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, removed, changed, unchanged, sections } = self;
        let mut parts = Vec::new();
        for (what, names) in [("added", added), ("removed", removed), ("changed", changed)] {
            if !names.is_empty() {
                parts.push(format!("{what} {}", names.join(", ")));
            }
        }
        if !sections.is_empty() {
            parts.push(format!("changed {}", sections.join(", ")));
        }
        match unchanged.len() {
            0 => {}
            1 => parts.push("1 service unchanged".into()),
            count => parts.push(format!("{count} services unchanged")),
        }
        f.write_str(&parts.join("; "))
    }
}

/// The state of the configuration, for `/status`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ConfigStatus {
    /// The number of configurations that were in force, including this one.
    generation: u64,
    loaded_at: String,
    /// The error of the last reload, unless it succeeded.
    last_reload_error: Option<ReloadError>,
}

#[derive(Clone, Debug, Serialize)]
struct ReloadError {
    at: String,
    message: String,
}

impl ConfigStatus {
    pub(super) fn new() -> Self {
        Self { generation: 1, loaded_at: log::timestamp(), last_reload_error: None }
    }

    pub(super) fn on_success(&mut self) {
        let generation = self.generation + 1;
        *self = Self { generation, ..Self::new() };
    }

    pub(super) fn on_error(&mut self, message: String) {
        self.last_reload_error = Some(ReloadError { at: log::timestamp(), message });
    }
}
