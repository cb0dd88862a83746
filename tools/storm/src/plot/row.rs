//! One stack's storm.

use plotters::prelude::*;

use super::{ANSWERED, Area, Drawn, FAULT, INK, OFFERED, QUIET, SENT, STRIP, text};
use crate::{
    Result,
    scenario::{LENGTH, Scenario},
    stack,
};

pub(super) const LEFT: i32 = 150;
pub(super) const CHART: u64 = 480;
const RIGHT: i32 = LEFT + CHART as i32 + 16;
/// What is beyond leaves at the top; the worst second is told beside.
pub(super) const MOST: u32 = 2_000;

pub(super) fn draw(area: &Area<'_>, scenario: &Scenario, result: &Result) -> Drawn {
    let figures = &result.figures;
    let stack =
        stack::ALL.iter().find(|stack| stack.name == result.stack).ok_or("no such stack")?;
    let name = text(15).style(if stack.is_ours() { FontStyle::Bold } else { FontStyle::Normal });
    area.draw_text(stack.label, &name.color(&INK), (16, 28))?;
    chart(area, scenario, result)?;

    let percent = figures.success_in_fault * 100.0;
    // Where nearly all are, it is the others that matter.
    let success = if percent > 98.0 { format!("{percent:.3}") } else { format!("{percent:.0}") };
    let success = format!("{success} % answered in the fault");
    area.draw_text(&success, &text(14).style(FontStyle::Bold).color(&INK), (RIGHT, 8))?;
    let load =
        format!("load × {:.2}, worst second × {:.2}", figures.load_in_fault, figures.load_worst);
    area.draw_text(&load, &text(12).color(&QUIET), (RIGHT, 30))?;
    let back = match (scenario.heals(), figures.recovery_s) {
        (false, _) => format!("longest wait {:.1} s", figures.longest_s),
        (true, Some(seconds)) => format!("well again after {seconds:.1} s"),
        (true, None) => "never well again".to_owned(),
    };
    area.draw_text(&back, &text(12).color(&QUIET), (RIGHT, 48))?;
    Ok(())
}

fn chart(area: &Area<'_>, scenario: &Scenario, result: &Result) -> Drawn {
    let (width, height) = (CHART as u32, STRIP - 10);
    let chart = area.clone().shrink((LEFT, 5), (width, height));
    let mut chart = ChartBuilder::on(&chart).build_cartesian_2d(0..LENGTH as u32, 0..MOST)?;
    let points = |series: &'_ [u32]| {
        let whole = series.iter().enumerate();
        whole.map(|(at, count)| (at as u32, (*count).min(MOST))).collect::<Vec<_>>()
    };
    if scenario.heals() {
        let fault = scenario.fault();
        let corners = [(fault.start as u32, 0), (fault.end as u32, MOST)];
        chart.draw_series([Rectangle::new(corners, FAULT.filled())])?;
    }
    let figures = &result.figures;
    chart.draw_series(AreaSeries::new(points(&figures.offered), 0, OFFERED))?;
    chart.draw_series(AreaSeries::new(points(&figures.answered), 0, ANSWERED))?;
    chart.draw_series(LineSeries::new(points(&figures.requests), SENT.stroke_width(2)))?;
    let axis = [(0, 0), (LENGTH as u32, 0)];
    chart.draw_series(LineSeries::new(axis, QUIET))?;
    Ok(())
}
