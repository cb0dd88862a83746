//! The results that some threads count together.

use std::time::Duration;

use tokio::time::Instant;

use super::window::{Counts, Window};
use crate::sync::{Mutex, lock};

/// Apart from others in memory, so that threads do not wait for each other's lines of cache.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe(Mutex<Tagged>);

/// A window of one generation.
#[derive(Debug)]
struct Tagged {
    /// That of the results; results of others are no longer, or not yet, counted here.
    generation: u32,
    /// Until when a success needs nothing but to be counted: as the clock has it, so that most need no more than that.
    until: Instant,
    /// Successes that are not yet in the window: of its present piece. What is full stays full.
    present: u32,
    /// All others of this generation, so that one can tell whether there was any since.
    earlier: u64,
    window: Window,
}

/// What was counted in a generation: of late, and how many successes in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) counts: Counts,
    pub(super) successes: u64,
}

/// What time is counted from, and how much of it is one piece of a window: the same each time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    pub(super) origin: Instant,
    pub(super) width: Duration,
}

impl Stripe {
    pub(super) fn new(origin: Instant) -> Self {
        let window = Window::default();
        // Until then, which is over, so that the first result looks closer.
        Self(Mutex::new(Tagged { generation: 0, until: origin, present: 0, earlier: 0, window }))
    }

    /// Counts a success; or not, if it comes after its generation.
    #[inline]
    pub(super) fn succeeded(&self, generation: u32, now: Instant, pieces: &Pieces) {
        let mut tagged = lock(&self.0);
        if tagged.is_present(generation, now) || tagged.turn(generation, now, pieces) {
            tagged.present = tagged.present.saturating_add(1);
        }
    }

    /// Counts a failure; or not, and says so, if it comes after its generation.
    pub(super) fn failed(&self, generation: u32, now: Instant, pieces: &Pieces) -> bool {
        let mut tagged = lock(&self.0);
        let counts = tagged.is_present(generation, now) || tagged.turn(generation, now, pieces);
        if counts {
            tagged.window.record(1, 1);
        }
        counts
    }

    /// What was counted in this generation.
    pub(super) fn seen(&self, generation: u32, now: Instant, pieces: &Pieces) -> Seen {
        let mut tagged = lock(&self.0);
        if tagged.generation != generation {
            return Seen::default();
        }
        if !tagged.is_present(generation, now) {
            tagged.turn(generation, now, pieces);
        }
        tagged.settle();
        Seen { counts: tagged.window.counts(), successes: tagged.earlier }
    }
}

impl Tagged {
    #[inline]
    fn is_present(&self, generation: u32, now: Instant) -> bool {
        self.generation == generation && now < self.until
    }

    /// Makes the window one of this generation and this moment, unless it is of a later generation.
    #[cold]
    fn turn(&mut self, generation: u32, now: Instant, pieces: &Pieces) -> bool {
        if self.generation > generation {
            return false;
        }
        self.settle();
        if self.generation < generation {
            self.generation = generation;
            self.window = Window::default();
            self.earlier = 0;
        }
        let Pieces { origin, width } = *pieces;
        let until = self.window.slide(now.saturating_duration_since(origin), width);
        // Beyond the end of time there is nothing to forget any more.
        self.until = origin.checked_add(until).unwrap_or(self.until);
        true
    }

    fn settle(&mut self) {
        self.window.record(self.present, 0);
        self.earlier = self.earlier.wrapping_add(self.present.into());
        self.present = 0;
    }
}
