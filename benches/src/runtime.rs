//! The runtime of the measured calls.

use std::time::Duration;

use tokio::{runtime::Builder, task::coop::unconstrained, time::sleep};

/// Runs `work` in a runtime with timers.
///
/// - The work is unconstrained, because a batch of calls would exhaust tokio's cooperative budget.
/// - Another timer is always pending and due before the timers of the calls, as in any busy
///   process. Without it, each new timer would wake the driver.
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
