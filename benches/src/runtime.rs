use std::time::Duration;

use tokio::{runtime::Builder, task::coop::unconstrained, time::sleep};

/// Runs `work` in a runtime with timers.
///
/// - Not held back by the cooperative budget, which would run out half way through a batch of calls.
/// - Another timer is always under way and due sooner than those of the calls, as in any busy process; otherwise each
///   new timer would wake the driver.
///
/// # Panics
///
/// If there can be no runtime.
pub fn enter<T>(work: impl FnOnce() -> T) -> T {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime needs nothing that could be missing here");
    runtime.block_on(unconstrained(async {
        tokio::spawn(async {
            loop {
                sleep(Duration::from_secs(5)).await;
            }
        });
        // Lets the task above begin.
        sleep(Duration::from_millis(5)).await;
        work()
    }))
}
