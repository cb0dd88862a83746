use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Window;
use crate::sharded_arc::thread_group;

/// The number of counts of calls. Threads of one group share one.
pub(super) const STRIPES: usize = 4;

/// The calls and retries of many threads.
///
/// Each call is counted in the stripe of its thread, so that calls on several threads do not wait for each other. A retry, which
/// is rare, gathers the stripes first.
#[derive(Debug, Default)]
pub(super) struct Counts {
    stripes: [Stripe; STRIPES],
    window: Mutex<Window>,
}

/// Aligned, so that stripes do not share a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(Mutex<Calls>);

/// The calls of one second that are not in the window yet.
#[derive(Debug, Default)]
struct Calls {
    second: u64,
    /// When that second ends.
    until: Option<Instant>,
    count: u32,
}

impl Counts {
    /// Counts a call.
    pub(super) fn deposit(&self, now: Instant) {
        self.deposit_in(thread_group() % STRIPES, now);
    }

    pub(super) fn deposit_in(&self, stripe: usize, now: Instant) {
        let mut stripe = lock(&self.stripes[stripe].0);
        if stripe.until.is_none_or(|until| now >= until) {
            let mut window = lock(&self.window);
            window.slide(now);
            window.add(stripe.second, stripe.count);
            *stripe = Calls { second: window.second, until: window.until, count: 0 };
        }
        stripe.count = stripe.count.saturating_add(1);
    }

    /// Returns the window with all calls in it.
    pub(super) fn window(&self, now: Instant) -> MutexGuard<'_, Window> {
        // No stripe is locked under the lock of the window, which `deposit_in` takes under that of a stripe.
        let calls = self.stripes.each_ref().map(|stripe| {
            let mut stripe = lock(&stripe.0);
            (stripe.second, std::mem::take(&mut stripe.count))
        });
        let mut window = lock(&self.window);
        window.slide(now);
        for (second, calls) in calls {
            window.add(second, calls);
        }
        window
    }
}

/// Only arithmetic is done under these locks, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
