use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

/// Ready once `limit` has passed since the first poll, which makes the timer.
pub(crate) fn poll_from_now(
    timer: Pin<&mut Option<Sleep>>,
    limit: std::time::Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    poll(timer, || Instant::now().checked_add(limit), cx)
}

/// Ready once it is `at`. The timer is made by the first poll.
pub(crate) fn poll_at(
    timer: Pin<&mut Option<Sleep>>,
    at: Instant,
    cx: &mut Context<'_>,
) -> Poll<()> {
    poll(timer, || Some(at), cx)
}

#[inline]
fn poll(
    mut timer: Pin<&mut Option<Sleep>>,
    at: impl FnOnce() -> Option<Instant>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if let Some(timer) = timer.as_mut().as_pin_mut() {
        // Unconstrained: an inner future that spends the whole coop budget on
        // every poll would otherwise keep the timer from ever being ready.
        return pin!(unconstrained(timer)).poll(cx);
    }
    if let Some(at) = at() {
        timer.set(Some(sleep_until(at)));
        if let Some(timer) = timer.as_pin_mut() {
            // Should the budget be spent already, tokio has this polled again.
            return timer.poll(cx);
        }
    }
    Poll::Pending
}
