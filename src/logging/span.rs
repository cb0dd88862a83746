//! The span of a call, which may outlive much, and is entered while others' code runs.
//!
//! A subscriber that panics as a span is entered, left or closed harms nobody: its panic ends here. Closed it may be as a thread
//! unwinds; and before a future is polled nothing may unwind that would need a way out of it, since the future would have to be
//! kept in one piece for that.

use tracing::Span;

use crate::panics::silenced;

/// One that this process has not closed yet.
#[derive(Debug)]
pub(super) struct Open(Span);

impl Open {
    pub(super) const fn new(span: Span) -> Self {
        Self(span)
    }

    pub(super) const fn get(&self) -> &Span {
        &self.0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let span = std::mem::replace(&mut self.0, Span::none());
        silenced(|| drop(span));
    }
}

/// Leaves the span again when dropped.
pub(crate) struct Entered<'a>(Option<&'a Span>);

impl<'a> Entered<'a> {
    #[inline]
    pub(super) fn new(span: Option<&'a Span>) -> Self {
        if let Some(span) = span {
            enter(span);
        }
        Self(span)
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(span) = self.0 {
            leave(span);
        }
    }
}

// Of that ABI, since the compiler then knows that nothing unwinds out of it.
#[cold]
extern "C" fn enter(span: &Span) {
    silenced(|| {
        span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
    });
}

#[cold]
extern "C" fn leave(span: &Span) {
    silenced(|| {
        span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
    });
}
