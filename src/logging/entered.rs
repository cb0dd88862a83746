//! The span of a call, entered while others' code runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;

/// Leaves the span again when dropped.
///
/// A subscriber that panics at it harms nobody: its panic ends here. What cannot unwind also needs no way out of a future that
/// is about to be polled, one that the future would have to be kept in one piece for.
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
    told(|| span.with_subscriber(|(id, subscriber)| subscriber.enter(id)));
}

#[cold]
extern "C" fn leave(span: &Span) {
    told(|| span.with_subscriber(|(id, subscriber)| subscriber.exit(id)));
}

fn told<T>(tell: impl FnOnce() -> T) {
    let _ = catch_unwind(AssertUnwindSafe(tell));
}
