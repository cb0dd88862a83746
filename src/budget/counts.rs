use tokio::time::Instant;

use super::Window;
use crate::{
    sharded_arc::thread_group,
    sync::{Mutex, MutexGuard, lock},
};

/// The number of stripes. The threads of one group share a stripe.
pub(super) const STRIPES: usize = 4;

/// The calls and retries of all threads.
///
/// A call is counted in the stripe of its thread, so that threads rarely contend for a lock. Before
/// a retry, which is rare, the calls of all stripes are moved into the window.
#[derive(Debug, Default)]
pub(super) struct Counts {
    stripes: [Stripe; STRIPES],
    window: Mutex<Window>,
}

/// Aligned, so that stripes do not share a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(Mutex<Calls>);

/// The calls of one second that have not been added to the window yet.
#[derive(Debug, Default)]
struct Calls {
    second: u64,
    /// The end of `second`.
    second_end: Option<Instant>,
    count: u32,
}

impl Counts {
    /// Counts a call in the stripe of the calling thread.
    pub(super) fn deposit(&self, now: Instant) {
        self.deposit_in(thread_group() % STRIPES, now);
    }

    pub(super) fn deposit_in(&self, stripe: usize, now: Instant) {
        let mut stripe = lock(&self.stripes[stripe].0);
        if stripe.second_end.is_none_or(|end| now >= end) {
            let mut window = lock(&self.window);
            window.slide(now);
            window.add_calls(stripe.second, stripe.count);
            *stripe =
                Calls { second: window.current_second, second_end: window.second_end, count: 0 };
        }
        stripe.count = stripe.count.saturating_add(1);
    }

    /// Returns the window after adding the calls of all stripes.
    pub(super) fn window(&self, now: Instant) -> MutexGuard<'_, Window> {
        // The stripes are unlocked before the window is locked. `deposit_in` locks a stripe first,
        // so the reverse order could deadlock.
        let calls = self.stripes.each_ref().map(|stripe| {
            let mut stripe = lock(&stripe.0);
            (stripe.second, std::mem::take(&mut stripe.count))
        });
        let mut window = lock(&self.window);
        window.slide(now);
        for (second, calls) in calls {
            window.add_calls(second, calls);
        }
        window
    }
}
