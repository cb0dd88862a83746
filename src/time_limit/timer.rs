use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

/// Completes when `limit` has passed since the first poll. The first poll creates the timer.
pub(crate) fn poll_after(
    timer: Pin<&mut Option<Sleep>>,
    limit: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    poll_timer(timer, || Instant::now().checked_add(limit), cx)
}

/// Completes at `at`. The first poll creates the timer.
pub(crate) fn poll_at(
    timer: Pin<&mut Option<Sleep>>,
    at: Instant,
    cx: &mut Context<'_>,
) -> Poll<()> {
    poll_timer(timer, || Some(at), cx)
}

fn poll_timer(
    mut timer: Pin<&mut Option<Sleep>>,
    at: impl FnOnce() -> Option<Instant>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if let Some(timer) = timer.as_mut().as_pin_mut() {
        // Unconstrained: an inner future that spends the coop budget on every poll would otherwise
        // starve the timer.
        return pin!(unconstrained(timer)).poll(cx);
    }
    if let Some(at) = at() {
        timer.set(Some(sleep_until(at)));
        if let Some(timer) = timer.as_pin_mut() {
            // If the coop budget is already spent, tokio polls the task again.
            return timer.poll(cx);
        }
    }
    Poll::Pending
}
