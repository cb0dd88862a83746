//! The table of the results of a scenario.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{RunResult, scenario::Scenario};

pub(crate) fn render(scenario: &Scenario, results: &[RunResult]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let mut header = vec![
        "stack",
        "success",
        "in fault",
        "failed",
        "goodput",
        "load",
        "total load",
        "worst second",
        "p50",
        "p99",
        "recovery",
        "wasted",
        "max wait",
        "max in flight",
    ];
    if has_retry_after(scenario) {
        header.push("early requests");
    }
    table.set_header(header);
    for result in results.iter().filter(|result| result.scenario == scenario.name) {
        let metrics = &result.metrics;
        let mut row = vec![
            result.stack.to_owned(),
            format!("{:.3} %", metrics.success_rate * 100.0),
            format!("{:.3} %", metrics.fault_success_rate * 100.0),
            metrics.failed.to_string(),
            match metrics.capacity_ratio {
                Some(ratio) => format!("{:.0}/s ({:.0} %)", metrics.goodput, ratio * 100.0),
                None => format!("{:.0}/s", metrics.goodput),
            },
            format!("{:.2}", metrics.fault_load),
            format!("{:.2}", metrics.load),
            format!("{:.2}", metrics.max_load),
            format!("{:.0} ms", metrics.p50_ms),
            format!("{:.0} ms", metrics.p99_ms),
            match (scenario.recovers(), metrics.recovery_s) {
                (true, Some(seconds)) => format!("{seconds:.1} s"),
                (true, None) => "never".to_owned(),
                (false, _) => "-".to_owned(),
            },
            format!("{:.1} %", metrics.wasted_ratio * 100.0),
            format!("{:.1} s", metrics.max_wait_s),
            metrics.max_in_flight.to_string(),
        ];
        if has_retry_after(scenario) {
            row.push(metrics.early_requests.to_string());
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}: {}\n\n{table}\n", scenario.name, scenario.title)
}

fn has_retry_after(scenario: &Scenario) -> bool {
    scenario.name == "ratelimit"
}
