//! Progress bars on a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scenario::DURATION_SECS;

/// The progress bars. They are drawn after each simulated second, because the process has no real
/// clock.
pub(crate) struct Progress {
    bars: MultiProgress,
    total: ProgressBar,
}

impl Progress {
    pub(crate) fn new(runs: usize) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = bars.add(ProgressBar::new(runs as u64).with_style(style("runs")));
        Self { bars, total }
    }

    pub(crate) fn start(&self, name: String) -> ProgressBar {
        let bar = ProgressBar::new(DURATION_SECS).with_style(style("s")).with_message(name);
        self.bars.insert_from_back(1, bar)
    }

    pub(crate) fn finish(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.total.inc(1);
        self.total.force_draw();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}

fn style(unit: &str) -> ProgressStyle {
    ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {unit} {{msg}}"))
        .expect("a template")
}
