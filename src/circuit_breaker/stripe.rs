//! The results that some groups of threads count together.

use std::time::Duration;

use super::window::{Counts, Window};
use crate::sync::{Mutex, lock};

/// A window of one generation. Aligned, so that two stripes share no cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Stripe(Mutex<GenerationWindow>);

#[derive(Debug, Default)]
struct GenerationWindow {
    generation: u32,
    window: Window,
}

impl Stripe {
    /// Records a result, unless the stripe already counts a later generation.
    pub(super) fn record(&self, generation: u32, now: Duration, width: Duration, failed: bool) {
        let mut current = lock(&self.0);
        if current.generation < generation {
            *current = GenerationWindow { generation, window: Window::default() };
        }
        if current.generation == generation {
            current.window.record(now, width, failed);
        }
    }

    /// Returns the counts of `generation`.
    pub(super) fn counts(&self, generation: u32, now: Duration, width: Duration) -> Counts {
        let mut current = lock(&self.0);
        if current.generation == generation {
            current.window.counts(now, width)
        } else {
            Counts::default()
        }
    }
}
