use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use seawall_core::Ratio;

/// Picks a part of the successes, each on its own, in an order that a seed decides.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) part: Ratio,
    pub(super) seed: u64,
    /// Shared by all services of a layer, so that their choices differ.
    turn: Arc<AtomicU64>,
}

impl Sample {
    pub(super) fn all() -> Self {
        Self { part: Ratio::percent(100), seed: fastrand::u64(..), turn: Arc::default() }
    }

    pub(super) fn is_sampled(&self) -> bool {
        if self.part == Ratio::percent(100) {
            return true;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        // A new generator for each turn needs no lock; the factor, an odd one, sets their seeds far apart.
        let seed = self.seed.wrapping_add(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        fastrand::Rng::with_seed(seed).f64() < self.part.get()
    }
}
