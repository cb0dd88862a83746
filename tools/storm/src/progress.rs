//! Bars for whoever waits at a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scenario::LENGTH;

/// Time is that of the storms, which says nothing of how often to draw: each second of theirs is a step.
pub(crate) struct Progress {
    bars: MultiProgress,
    whole: ProgressBar,
}

impl Progress {
    pub(crate) fn new(storms: usize) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let whole = bars.add(ProgressBar::new(storms as u64).with_style(style("storms")));
        Self { bars, whole }
    }

    pub(crate) fn begin(&self, name: String) -> ProgressBar {
        let bar = ProgressBar::new(LENGTH).with_style(style("s")).with_message(name);
        self.bars.insert_from_back(1, bar)
    }

    pub(crate) fn end(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.whole.inc(1);
        self.whole.force_draw();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.whole.finish_and_clear();
    }
}

fn style(unit: &str) -> ProgressStyle {
    ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {unit} {{msg}}"))
        .expect("a template")
}
