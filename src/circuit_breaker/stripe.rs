//! The results that some groups of threads count together.

use std::time::Duration;

use tokio::time::Instant;

use super::window::{Counts, Window};
use crate::sync::{Mutex, lock};

/// A window of one generation. Aligned, so that two stripes share no cache line.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe(Mutex<GenerationWindow>);

#[derive(Debug)]
struct GenerationWindow {
    generation: u32,
    window: Window,
}

impl Stripe {
    pub(super) fn new(origin: Instant, width: Duration) -> Self {
        Self(Mutex::new(GenerationWindow { generation: 0, window: Window::new(origin, width) }))
    }

    /// Records a result, unless the stripe already counts a later generation.
    #[inline]
    pub(super) fn record(&self, generation: u32, now: Instant, width: Duration, failed: bool) {
        let mut current = lock(&self.0);
        if current.generation < generation {
            current.generation = generation;
            current.window.clear();
        }
        if current.generation == generation {
            current.window.record(now, width, failed);
        }
    }

    /// Returns the counts of `generation`.
    pub(super) fn counts(&self, generation: u32, now: Instant, width: Duration) -> Counts {
        let mut current = lock(&self.0);
        if current.generation == generation {
            current.window.counts(now, width)
        } else {
            Counts::default()
        }
    }
}
