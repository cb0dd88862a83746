//! The table for a person.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{Result, scenario::Scenario};

pub(crate) fn of(scenario: &Scenario, results: &[Result]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let mut head = vec![
        "stack",
        "success",
        "in the fault",
        "failed",
        "goodput",
        "load",
        "load in all",
        "worst second",
        "p50",
        "p99",
        "back after",
        "wasted",
        "longest",
        "at once",
    ];
    if early(scenario) {
        head.push("too early");
    }
    table.set_header(head);
    for result in results.iter().filter(|result| result.scenario == scenario.name) {
        let figures = &result.figures;
        let mut row = vec![
            result.stack.to_owned(),
            format!("{:.3} %", figures.success * 100.0),
            format!("{:.3} %", figures.success_in_fault * 100.0),
            figures.failed.to_string(),
            match figures.of_capacity {
                Some(part) => format!("{:.0}/s ({:.0} %)", figures.goodput, part * 100.0),
                None => format!("{:.0}/s", figures.goodput),
            },
            format!("{:.2}", figures.load_in_fault),
            format!("{:.2}", figures.load),
            format!("{:.2}", figures.load_worst),
            format!("{:.0} ms", figures.p50_ms),
            format!("{:.0} ms", figures.p99_ms),
            match (scenario.heals(), figures.recovery_s) {
                (true, Some(seconds)) => format!("{seconds:.1} s"),
                (true, None) => "never".to_owned(),
                (false, _) => "-".to_owned(),
            },
            format!("{:.1} %", figures.wasted * 100.0),
            format!("{:.1} s", figures.longest_s),
            figures.most_under_way.to_string(),
        ];
        if early(scenario) {
            row.push(figures.too_early.to_string());
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}: {}\n\n{table}\n", scenario.name, scenario.title)
}

fn early(scenario: &Scenario) -> bool {
    scenario.name == "ratelimit"
}
