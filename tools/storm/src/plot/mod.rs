//! Pictures that can be read in ten seconds: a strip for each stack, one above the other, all on one time.

mod png;
mod strip;

use std::path::Path;

use plotters::prelude::*;

use crate::{
    Result,
    scenario::{LENGTH, Scenario},
    stack,
};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

const WIDTH: u32 = 900;
const HEAD: u32 = 90;
const STRIP: u32 = 78;
const FOOT: u32 = 38;

const INK: RGBColor = RGBColor(31, 35, 40);
const QUIET: RGBColor = RGBColor(89, 99, 110);
const PAPER: RGBColor = WHITE;
const OFFERED: RGBColor = RGBColor(208, 215, 222);
const ANSWERED: RGBColor = RGBColor(45, 164, 78);
const SENT: RGBColor = RGBColor(207, 34, 46);
const FAULT: RGBColor = RGBColor(255, 241, 214);

/// Writes `NAME.svg` and `NAME.png` to `folder`.
pub(crate) fn draw(folder: &Path, name: &str, scenario: &Scenario, results: &[&Result]) -> Drawn {
    let height = HEAD + STRIP * results.len() as u32 + FOOT;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&PAPER)?;
        head(&root, scenario)?;
        for (at, result) in results.iter().enumerate() {
            let top = HEAD + STRIP * at as u32;
            strip::draw(&root.clone().shrink((0, top), (WIDTH, STRIP)), scenario, result)?;
        }
        foot(&root.clone().shrink((0, height - FOOT), (WIDTH, FOOT)))?;
        root.present()?;
    }
    std::fs::write(folder.join(format!("{name}.svg")), &svg)?;
    png::write(&svg, &folder.join(format!("{name}.png")))
}

fn head(root: &Area<'_>, scenario: &Scenario) -> Drawn {
    let title = text(22).style(FontStyle::Bold).color(&INK);
    root.draw_text(&capitalised(scenario.title), &title, (16, 12))?;
    let legend = [
        (OFFERED, "calls that callers make"),
        (ANSWERED, "answered within 3 s"),
        (SENT, "requests that the upstream gets"),
    ];
    let lefts = [16, 216, 388];
    for ((color, what), left) in legend.into_iter().zip(lefts) {
        root.draw(&Rectangle::new([(left, 48), (left + 14, 60)], color.filled()))?;
        root.draw_text(what, &text(14).color(&INK), (left + 20, 46))?;
    }
    let scale = format!("a second; a strip ends at {}", strip::MOST);
    root.draw_text(&scale, &text(12).color(&QUIET), (646, 47))?;
    if scenario.heals() {
        let begin = strip::LEFT + (strip::CHART * scenario.fault().start / LENGTH) as i32;
        root.draw_text("the fault", &text(12).color(&QUIET), (begin, 74))?;
    }
    Ok(())
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn foot(area: &Area<'_>) -> Drawn {
    for second in (0..=LENGTH).step_by(10) {
        let at = strip::LEFT + (strip::CHART * second / LENGTH) as i32;
        let label = text(12).color(&QUIET).pos(middle());
        area.draw_text(&format!("{second} s"), &label, (at, 6))?;
    }
    Ok(())
}

fn text(size: u32) -> FontDesc<'static> {
    ("sans-serif", size).into_font()
}

fn middle() -> plotters::style::text_anchor::Pos {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    Pos::new(HPos::Center, VPos::Top)
}

/// Which results belong in the picture of the peers, and which in that of our parts.
pub(crate) fn split<'a>(scenario: &Scenario, results: &'a [Result]) -> [Vec<&'a Result>; 2] {
    let here = results.iter().filter(|result| result.scenario == scenario.name);
    let stack = |result: &Result| stack::ALL.iter().find(|stack| stack.name == result.stack);
    let slow = scenario.is_slow();
    let peers =
        here.clone().filter(|result| stack(result).is_some_and(|one| one.is_among_peers(slow)));
    let parts = here.filter(|result| stack(result).is_some_and(stack::Stack::is_ours));
    [peers.collect(), parts.collect()]
}
