//! A window that a few groups of threads share.

use std::time::Duration;

use tokio::time::Instant;

use super::window::{Counts, Window};
use crate::sync::{Mutex, lock};

/// The results that a few groups of threads have recorded. Aligned, so that two stripes never share
/// a cache line.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe(Mutex<GenerationWindow>);

/// The results of one generation.
#[derive(Debug)]
struct GenerationWindow {
    generation: u32,
    window: Window,
}

impl Stripe {
    pub(super) fn new(start: Instant, bucket_width: Duration) -> Self {
        Self(Mutex::new(GenerationWindow {
            generation: 0,
            window: Window::new(start, bucket_width),
        }))
    }

    pub(super) fn record_success(&self, generation: u32, now: Instant, bucket_width: Duration) {
        self.record(generation, |window| window.record_success(now, bucket_width));
    }

    pub(super) fn record_failure(&self, generation: u32, now: Instant, bucket_width: Duration) {
        self.record(generation, |window| window.record_failure(now, bucket_width));
    }

    /// Records a result, unless the stripe already has results of a later generation.
    fn record(&self, generation: u32, record: impl FnOnce(&mut Window)) {
        let mut current = lock(&self.0);
        if current.generation < generation {
            current.generation = generation;
            current.window.clear();
        }
        if current.generation == generation {
            record(&mut current.window);
        }
    }

    /// Returns the counts of `generation`.
    pub(super) fn counts(&self, generation: u32, now: Instant, bucket_width: Duration) -> Counts {
        let mut current = lock(&self.0);
        if current.generation == generation {
            current.window.counts(now, bucket_width)
        } else {
            Counts::default()
        }
    }
}
