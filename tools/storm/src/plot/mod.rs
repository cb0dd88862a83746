//! The plots of a scenario: one row per stack, with a common time axis.

mod png;
mod row;

use std::path::Path;

use plotters::prelude::*;

use crate::{
    RunResult,
    scenario::{DURATION_SECS, Scenario},
    stack,
};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type DrawResult = Result<(), Box<dyn std::error::Error>>;

const WIDTH: u32 = 900;
const HEADER_HEIGHT: u32 = 90;
const ROW_HEIGHT: u32 = 78;
const AXIS_HEIGHT: u32 = 38;

const TEXT_COLOR: RGBColor = RGBColor(31, 35, 40);
const MUTED_TEXT_COLOR: RGBColor = RGBColor(89, 99, 110);
const BACKGROUND: RGBColor = WHITE;
const OFFERED_COLOR: RGBColor = RGBColor(208, 215, 222);
const SUCCEEDED_COLOR: RGBColor = RGBColor(45, 164, 78);
const UPSTREAM_COLOR: RGBColor = RGBColor(207, 34, 46);
const FAULT_COLOR: RGBColor = RGBColor(255, 241, 214);

/// Writes `NAME.svg` and `NAME.png` to `folder`.
pub(crate) fn draw(
    folder: &Path,
    name: &str,
    scenario: &Scenario,
    results: &[&RunResult],
) -> DrawResult {
    let height = HEADER_HEIGHT + ROW_HEIGHT * results.len() as u32 + AXIS_HEIGHT;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&BACKGROUND)?;
        draw_header(&root, scenario)?;
        for (index, result) in results.iter().enumerate() {
            let top = HEADER_HEIGHT + ROW_HEIGHT * index as u32;
            row::draw(&root.clone().shrink((0, top), (WIDTH, ROW_HEIGHT)), scenario, result)?;
        }
        draw_axis(&root.clone().shrink((0, height - AXIS_HEIGHT), (WIDTH, AXIS_HEIGHT)))?;
        root.present()?;
    }
    std::fs::write(folder.join(format!("{name}.svg")), &svg)?;
    png::write(&svg, &folder.join(format!("{name}.png")))
}

fn draw_header(root: &Area<'_>, scenario: &Scenario) -> DrawResult {
    let title = text(22).style(FontStyle::Bold).color(&TEXT_COLOR);
    root.draw_text(&capitalize(scenario.title), &title, (16, 12))?;
    let legend = [
        (OFFERED_COLOR, "calls"),
        (SUCCEEDED_COLOR, "responses within 3 s"),
        (UPSTREAM_COLOR, "requests to the upstream"),
    ];
    let lefts = [16, 216, 388];
    for ((color, label), left) in legend.into_iter().zip(lefts) {
        root.draw(&Rectangle::new([(left, 48), (left + 14, 60)], color.filled()))?;
        root.draw_text(label, &text(14).color(&TEXT_COLOR), (left + 20, 46))?;
    }
    let scale = format!("per second; the top of a row is {}", row::MAX_RATE);
    root.draw_text(&scale, &text(12).color(&MUTED_TEXT_COLOR), (646, 47))?;
    if scenario.recovers() {
        let fault_start =
            row::LEFT + (row::CHART_WIDTH * scenario.fault_seconds().start / DURATION_SECS) as i32;
        root.draw_text("fault", &text(12).color(&MUTED_TEXT_COLOR), (fault_start, 74))?;
    }
    Ok(())
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn draw_axis(area: &Area<'_>) -> DrawResult {
    for second in (0..=DURATION_SECS).step_by(10) {
        let x = row::LEFT + (row::CHART_WIDTH * second / DURATION_SECS) as i32;
        let label = text(12).color(&MUTED_TEXT_COLOR).pos(top_center());
        area.draw_text(&format!("{second} s"), &label, (x, 6))?;
    }
    Ok(())
}

fn text(size: u32) -> FontDesc<'static> {
    ("sans-serif", size).into_font()
}

fn top_center() -> plotters::style::text_anchor::Pos {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    Pos::new(HPos::Center, VPos::Top)
}

/// Splits the results into those of the comparison with other libraries, and those of seawall's
/// variants.
pub(crate) fn split<'a>(scenario: &Scenario, results: &'a [RunResult]) -> [Vec<&'a RunResult>; 2] {
    let scenario_results = results.iter().filter(|result| result.scenario == scenario.name);
    let stack = |result: &RunResult| stack::ALL.iter().find(|stack| stack.name == result.stack);
    let delays_responses = scenario.delays_responses();
    let peers = scenario_results.clone().filter(|result| {
        stack(result).is_some_and(|it| it.is_compared_with_peers(delays_responses))
    });
    let variants =
        scenario_results.filter(|result| stack(result).is_some_and(stack::Stack::is_seawall));
    [peers.collect(), variants.collect()]
}
