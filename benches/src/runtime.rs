//! The runtime in which calls are measured.

use std::time::Duration;

use tokio::{runtime::Builder, task::coop::unconstrained, time::sleep};

/// Runs `work` in a runtime with timers.
///
/// - The work is unconstrained, since tokio's cooperative budget would run out within a batch of calls.
/// - Another timer is always pending and due before those of the calls, as in any busy process; otherwise each new timer
///   would wake the driver.
///
/// # Panics
///
/// Panics if the runtime cannot be built.
pub fn enter<T>(work: impl FnOnce() -> T) -> T {
    let runtime =
        Builder::new_current_thread().enable_time().build().expect("a runtime without I/O");
    runtime.block_on(unconstrained(async {
        tokio::spawn(async {
            loop {
                sleep(Duration::from_secs(5)).await;
            }
        });
        // Lets the task above start.
        sleep(Duration::from_millis(5)).await;
        work()
    }))
}
