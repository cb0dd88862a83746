//! Futures that write what they give where it is to stay.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A response is larger than a word or two: handed from future to future as each returns it, it is copied once by every one,
/// which costs more than most of them do with it.
pub(crate) trait PollInto {
    type Output;

    /// As `Future::poll`, but into `polled`, which was pending.
    fn poll_into(self: Pin<&mut Self>, cx: &mut Context<'_>, polled: &mut Poll<Self::Output>);
}
