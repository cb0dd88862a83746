use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use seawall_core::Ratio;

/// Randomly selects a fraction of the successful calls. The seed determines which calls.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    pub(super) ratio: Ratio,
    pub(super) seed: u64,
    /// The number of decisions so far. Shared by all services of a layer, so that their decisions
    /// differ.
    decisions: Arc<AtomicU64>,
}

impl Sampler {
    pub(super) fn all() -> Self {
        Self { ratio: Ratio::percent(100), seed: fastrand::u64(..), decisions: Arc::default() }
    }

    pub(super) fn should_sample(&self) -> bool {
        if self.ratio == Ratio::percent(100) {
            return true;
        }
        let decision = self.decisions.fetch_add(1, Ordering::Relaxed);
        // A new generator for each decision avoids a lock. Multiplication by an odd constant
        // spreads the seeds.
        let seed = self.seed.wrapping_add(decision.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        fastrand::Rng::with_seed(seed).f64() < self.ratio.get()
    }
}
