use std::{cell::RefCell, panic, thread};

use tracing::span::Entered;

use super::{end::End, record::Record};

/// How many places a thread keeps for later.
const KEPT: usize = 64;

thread_local! {
    static FREE: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

type Place = Box<Option<Record>>;

/// A record, or none; on the heap, so that futures and bodies carry one word of it. Places are used again, so that a
/// request that is not logged in the end allocates nothing.
#[derive(Debug)]
pub(crate) struct Slot(Option<Place>);

impl Slot {
    #[inline]
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Made where it stays, rather than moved there.
    #[inline]
    pub(super) fn new(record: impl FnOnce() -> Record) -> Self {
        let free = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
        let mut place = free.unwrap_or_default();
        *place = Some(record());
        Self(Some(place))
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub(super) fn get(&mut self) -> Option<&mut Record> {
        self.0.as_deref_mut()?.as_mut()
    }

    /// Enters its span, if it has one, and remembers that code of others runs; to be followed by [`left`](Self::left),
    /// unless that panics.
    #[inline]
    pub(crate) fn enter(&mut self) -> Option<Entered<'_>> {
        let record = self.get()?;
        record.busy = true;
        record.span().map(tracing::Span::enter)
    }

    #[inline]
    pub(crate) fn left(&mut self) {
        if let Some(record) = self.get() {
            record.busy = false;
        }
    }

    /// Takes the record out; to be dropped once it is written.
    #[inline]
    pub(super) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Writes that the request came to such an end, and lets the record go.
    pub(super) fn finish(&mut self, end: End) {
        if let Some(record) = self.take().get() {
            record.finish(end);
        }
    }
}

impl Drop for Slot {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            let_go(place);
        }
    }
}

#[inline(never)]
fn let_go(mut place: Place) {
    if let Some(record) = &mut *place
        && !record.written
    {
        give_up(record);
    }
    *place = None;
    // A thread that is at its end keeps nothing.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < KEPT {
            free.push(place);
        }
    });
}

/// Nobody waits for the end any more.
#[cold]
fn give_up(record: &mut Record) {
    let end = match record.status {
        _ if record.busy => End::Panicked,
        Some(_) => End::Dropped,
        None => End::Cancelled,
    };
    if let Some(attempts) = record.left_behind.end() {
        record.cut_short(attempts);
    }
    if thread::panicking() {
        // Another panic out of here, a subscriber's, would end the process.
        let _ = panic::catch_unwind(panic::AssertUnwindSafe(|| record.finish(end)));
    } else {
        record.finish(end);
    }
}
