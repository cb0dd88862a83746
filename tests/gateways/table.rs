//! What was concluded, for people.

use std::fmt::Write;

use seawall::Failure;

use crate::client::Met;

/// Grows by a row for each scenario. Where there are several numbers: of a GET, of a POST, and of a POST on a connection
/// that was used before. What was concluded is that of the GET.
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new() -> Self {
        let mut table = Self(String::new());
        table.line(
            ["gateway", "origin", "status", "cause", "reporter", "processed", "sent"],
            "the origin saw",
        );
        table
    }

    /// `seen`: by the origin, of what the stack sent.
    pub(crate) fn row(&mut self, gateway: &str, scenario: &str, met: &[Met], seen: &[u64]) {
        let get = &met[0];
        let status = |it: &Met| it.status.map_or("none".into(), |status| status.to_string());
        let failure = get.failure.or(get.body.as_ref().err().copied());
        let say = |what: fn(Failure) -> &'static str| failure.map_or("-", what);
        self.line(
            [
                gateway,
                scenario,
                &each(met, status),
                say(|it| it.cause().as_str()),
                say(|it| it.reporter().as_str()),
                say(|it| it.processed().as_str()),
                &each(met, |it| it.sent.to_string()),
            ],
            &each(seen, u64::to_string),
        );
    }

    pub(crate) fn remark(&mut self, gateway: &str, remark: &str) {
        writeln!(self.0, "{gateway}: {remark}").unwrap();
    }

    fn line(&mut self, cells: [&str; 7], last: &str) {
        for (cell, width) in cells.into_iter().zip([19, 17, 15, 25, 9, 10, 7]) {
            write!(self.0, "{cell:<width$}").unwrap();
        }
        writeln!(self.0, "{last}").unwrap();
    }

    /// All at once, since gateways are met at the same time.
    pub(crate) fn print(&self) {
        println!("\n{}", self.0);
    }
}

fn each<T>(all: &[T], one: impl Fn(&T) -> String) -> String {
    all.iter().map(one).collect::<Vec<_>>().join(" ")
}
