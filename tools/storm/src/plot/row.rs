//! The row of one stack.

use plotters::prelude::*;

use super::{
    Area, DrawResult, FAULT_COLOR, MUTED_TEXT_COLOR, OFFERED_COLOR, ROW_HEIGHT, SUCCEEDED_COLOR,
    TEXT_COLOR, UPSTREAM_COLOR, text,
};
use crate::{
    RunResult,
    scenario::{DURATION_SECS, Scenario},
    stack,
};

pub(super) const LEFT: i32 = 150;
pub(super) const CHART_WIDTH: u64 = 480;
const RIGHT: i32 = LEFT + CHART_WIDTH as i32 + 16;
/// The rate at the top of a chart. Higher rates are clipped.
pub(super) const MAX_RATE: u32 = 2_000;

pub(super) fn draw(area: &Area<'_>, scenario: &Scenario, result: &RunResult) -> DrawResult {
    let metrics = &result.metrics;
    let stack =
        stack::ALL.iter().find(|stack| stack.name == result.stack).ok_or("unknown stack")?;
    let name = text(15).style(if stack.is_seawall() { FontStyle::Bold } else { FontStyle::Normal });
    area.draw_text(stack.label, &name.color(&TEXT_COLOR), (16, 28))?;
    draw_chart(area, scenario, result)?;

    let percent = metrics.fault_success_rate * 100.0;
    // Near 100 %, stacks differ only in the decimals.
    let success = if percent > 98.0 { format!("{percent:.3}") } else { format!("{percent:.0}") };
    let success = format!("{success} % success in the fault");
    area.draw_text(&success, &text(14).style(FontStyle::Bold).color(&TEXT_COLOR), (RIGHT, 8))?;
    let load = format!("load × {:.2}, worst second × {:.2}", metrics.fault_load, metrics.max_load);
    area.draw_text(&load, &text(12).color(&MUTED_TEXT_COLOR), (RIGHT, 30))?;
    let recovery = match (scenario.recovers(), metrics.recovery_s) {
        (false, _) => format!("max wait {:.1} s", metrics.max_wait_s),
        (true, Some(seconds)) => format!("recovered after {seconds:.1} s"),
        (true, None) => "never recovered".to_owned(),
    };
    area.draw_text(&recovery, &text(12).color(&MUTED_TEXT_COLOR), (RIGHT, 48))?;
    Ok(())
}

fn draw_chart(area: &Area<'_>, scenario: &Scenario, result: &RunResult) -> DrawResult {
    let (width, height) = (CHART_WIDTH as u32, ROW_HEIGHT - 10);
    let chart = area.clone().shrink((LEFT, 5), (width, height));
    let mut chart =
        ChartBuilder::on(&chart).build_cartesian_2d(0..DURATION_SECS as u32, 0..MAX_RATE)?;
    let points = |series: &'_ [u32]| {
        let seconds = series.iter().enumerate();
        seconds.map(|(second, count)| (second as u32, (*count).min(MAX_RATE))).collect::<Vec<_>>()
    };
    if scenario.recovers() {
        let fault = scenario.fault_seconds();
        let corners = [(fault.start as u32, 0), (fault.end as u32, MAX_RATE)];
        chart.draw_series([Rectangle::new(corners, FAULT_COLOR.filled())])?;
    }
    let metrics = &result.metrics;
    chart.draw_series(AreaSeries::new(points(&metrics.offered), 0, OFFERED_COLOR))?;
    chart.draw_series(AreaSeries::new(points(&metrics.successes), 0, SUCCEEDED_COLOR))?;
    chart
        .draw_series(LineSeries::new(points(&metrics.requests), UPSTREAM_COLOR.stroke_width(2)))?;
    let axis = [(0, 0), (DURATION_SECS as u32, 0)];
    chart.draw_series(LineSeries::new(axis, MUTED_TEXT_COLOR))?;
    Ok(())
}
