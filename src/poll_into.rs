//! Futures that write what they give where it is to stay.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::Instant;

/// A response is larger than a word or two: handed from future to future as each returns it, it is copied once by every one,
/// which costs more than most of them do with it.
pub(crate) trait PollInto {
    type Output;

    /// As `Future::poll`, but into `polled`, which was pending.
    fn poll_into(self: Pin<&mut Self>, cx: &mut Context<'_>, polled: &mut Poll<Self::Output>);

    /// By when a timer of its own has it polled again, if it is pending. Whoever waits for no earlier moment needs no other.
    fn wakes_by(&self) -> Option<Instant>;
}
