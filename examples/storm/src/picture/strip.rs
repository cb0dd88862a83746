//! One stack's storm.

use plotters::prelude::*;

use super::{ANSWERED, Area, Drawn, FAULT, INK, OFFERED, QUIET, SENT, STRIP, text};
use crate::{
    Result,
    scenario::{LENGTH, Scenario},
};

pub(super) const LEFT: i32 = 160;
pub(super) const CHART: u64 = 500;
const RIGHT: i32 = LEFT + CHART as i32 + 16;
/// What is beyond leaves at the top; the worst second is told beside.
const MOST: u32 = 2_500;

pub(super) fn draw(area: &Area<'_>, scenario: &Scenario, result: &Result) -> Drawn {
    let figures = &result.figures;
    let is_ours = result.stack.contains("seawall");
    let name = text(15).style(if is_ours { FontStyle::Bold } else { FontStyle::Normal });
    area.draw_text(result.stack, &name.color(&INK), (16, 28))?;
    chart(area, scenario, result)?;

    let success = format!("{:.2} % answered", figures.success * 100.0);
    area.draw_text(&success, &text(15).style(FontStyle::Bold).color(&INK), (RIGHT, 8))?;
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
