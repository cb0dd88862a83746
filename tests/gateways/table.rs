//! What was concluded, for people.

use std::fmt;

use seawall::Failure;

use crate::client::Met;

/// Grows by a row for each scenario.
pub(crate) struct Table {
    rows: Vec<[String; 8]>,
    remarks: &'static [&'static str],
}

const HEAD: [&str; 8] =
    ["gateway", "origin", "status", "cause", "reporter", "processed", "sent", "the origin saw"];

const LEGEND: &str = "Three numbers: of a GET, of a POST, and of a POST on a connection that was used before. \
                      Concluded was that of the GET.";

impl Table {
    pub(crate) fn new(remarks: &'static [&'static str]) -> Self {
        Self { rows: vec![HEAD.map(String::from)], remarks }
    }

    /// `seen`: by the origin, of what the stack sent.
    pub(crate) fn row(&mut self, gateway: &str, scenario: &str, met: &[Met], seen: &[u64]) {
        let get = &met[0];
        let status = |it: &Met| it.status.map_or("none".into(), |status| status.to_string());
        let failure = get.failure.or(get.body.as_ref().err().copied());
        let say = |what: fn(Failure) -> &'static str| failure.map_or("-", what).to_owned();
        self.rows.push([
            gateway.into(),
            scenario.into(),
            each(met, status),
            say(|it| it.cause().as_str()),
            say(|it| it.reporter().as_str()),
            say(|it| it.processed().as_str()),
            each(met, |it| it.sent.to_string()),
            each(seen, u64::to_string),
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
        self.remarks.iter().try_for_each(|remark| writeln!(f, "{remark}"))
    }
}

fn each<T>(all: &[T], one: impl Fn(&T) -> String) -> String {
    all.iter().map(one).collect::<Vec<_>>().join(" ")
}
