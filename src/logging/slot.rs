use std::{
    cell::Cell,
    fmt,
    mem::{self, ManuallyDrop},
};

use super::{Head, end::End, record::Record, settings::Settings, span::Entered};
use crate::panics::at_most_one;
use crate::sharded::Sharded;

/// How many places a thread keeps for later.
const KEPT: usize = 64;

thread_local! {
    /// The first of them, which holds the others.
    static FREE: Cell<Option<Box<Place>>> = const { Cell::new(None) };
}

#[derive(Default)]
struct Place {
    record: Record,
    next: Option<Box<Place>>,
    /// How many follow it, while it is free.
    following: usize,
}

/// A record, or none; on the heap, so that futures and bodies carry one word of it. Places are used again, so that a
/// request that is not logged in the end allocates nothing.
///
/// Dropped by hand: what the compiler adds to that would be called out of line, with a pointer into the future or body that
/// holds this, which could not be taken apart then.
pub(crate) struct Slot(ManuallyDrop<Option<Box<Place>>>);

impl Slot {
    #[inline]
    pub(super) const fn none() -> Self {
        Self(ManuallyDrop::new(None))
    }

    /// Begins a record. `whole`: it will be asked for its URL at once.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "out of line, what it is told of the request is written to memory for it"
    )]
    pub(super) fn new(settings: &Sharded<Settings>, head: Head<'_>, whole: bool) -> Self {
        let mut place = free_place();
        place.record.begin(settings, head, whole);
        Self(ManuallyDrop::new(Some(place)))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub(super) fn get(&mut self) -> Option<&mut Record> {
        self.0.as_mut().map(|place| &mut place.record)
    }

    #[inline]
    pub(super) fn record(&self) -> Option<&Record> {
        self.0.as_ref().map(|place| &place.record)
    }

    /// Enters its span, if it has one.
    #[inline]
    pub(crate) fn enter(&self) -> Entered<'_> {
        Entered::new(self.record().and_then(Record::span))
    }

    #[inline]
    pub(super) fn take(&mut self) -> Self {
        Self(ManuallyDrop::new(self.0.take()))
    }

    /// Takes the record out, to be written.
    #[inline]
    pub(super) fn write(mut self, write: impl FnOnce(&Record)) {
        if let Some(mut place) = self.0.take() {
            write(&place.record);
            place.record.clear_rest();
            keep(place);
        }
    }

    /// Some of the body has come, or its trailers; `last`: no more will.
    #[inline]
    pub(super) fn data(&mut self, len: usize, first: &[u8], last: bool) {
        let Some(record) = self.get() else { return };
        record.data(len, first);
        if last || record.is_whole() {
            self.complete();
        }
    }

    /// Nothing more will come.
    #[inline]
    pub(super) fn complete(&mut self) {
        if let Some(place) = self.0.take() {
            complete(place);
        }
    }
}

/// Futures and bodies are shown wherever somebody shows a response, and a record holds what is redacted in a line.
impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "None" } else { "Record" })
    }
}

impl Drop for Slot {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            give_up(place);
        }
    }
}

// What `forget` is given here and below is none: to find that out costs as much as all the rest.
#[inline]
fn free_place() -> Box<Place> {
    let first = FREE.try_with(|free| {
        let mut first = free.take();
        mem::forget(free.replace(first.as_mut().and_then(|it| it.next.take())));
        first
    });
    first.ok().flatten().unwrap_or_default()
}

#[inline]
fn keep(mut place: Box<Place>) {
    place.record.clear();
    // A thread that is at its end keeps nothing.
    let _ = FREE.try_with(|free| {
        let next = free.take();
        place.following = next.as_ref().map_or(0, |it| it.following + 1);
        if place.following < KEPT {
            place.next = next;
            mem::forget(free.replace(Some(place)));
        } else {
            free.set(next);
        }
    });
}

#[inline(never)]
fn complete(mut place: Box<Place>) {
    place.record.finish(End::Complete);
    keep(place);
}

/// Nobody waits for the end any more.
#[cold]
#[inline(never)]
fn give_up(mut place: Box<Place>) {
    let record = &mut place.record;
    let end = match record.status {
        _ if record.has_panicked() => End::Panicked,
        Some(_) => End::Dropped,
        None if record.left_behind.has_begun() => End::Cancelled,
        // There is no call to be dropped: what should have made it has panicked.
        None => End::Panicked,
    };
    if let Some(attempts) = record.left_behind.end() {
        record.cut_short(attempts);
    }
    // A subscriber may panic, and this may be a drop.
    at_most_one(|| record.finish(end));
    keep(place);
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};

    use super::*;
    use crate::logging::{Level, settings::Side};

    #[test]
    fn a_method_that_somebody_made_up_is_not_held_for_nothing() {
        let settings = Sharded::new(Settings::new(Side::Client, Level::Debug));
        let mut request = Request::new(());
        for length in [7, 15, 16, 100_000] {
            *request.method_mut() = Method::from_bytes(&vec![b'M'; length]).unwrap();
            for _ in 0..2 {
                let mut slot = Slot::new(&settings, Head::of(&request), false);
                assert_eq!(slot.get().unwrap().method, *request.method());
                slot.complete();
            }
            let place = free_place();
            assert!(place.record.method.as_str().len() < 16);
            keep(place);
        }
    }
}
