use std::mem;

#[cfg(feature = "retry")]
use crate::attempts::{Told, swap_told};

/// What cannot be returned: how many attempts a call had made that is dropped before its end, which says so as it is dropped;
/// and why an error that comes out as it is was not tried again.
#[derive(Debug, Default)]
pub(super) enum LeftBehind {
    /// The call is under way.
    #[default]
    Nothing,
    /// The call is being dropped.
    Something {
        /// What was said before, to a log further out, which is still to read it.
        to_others: Option<Told>,
    },
}

impl LeftBehind {
    /// The call is about to be dropped.
    pub(super) fn begin(&mut self) {
        *self = Self::Something { to_others: swap_told(None) };
    }

    pub(super) const fn has_begun(&self) -> bool {
        matches!(self, Self::Something { .. })
    }

    /// It was.
    pub(super) fn end(&mut self) -> Option<u32> {
        match mem::take(self) {
            Self::Nothing => None,
            Self::Something { to_others } => swap_told(to_others).map(attempts),
        }
    }

    /// The call is about to be polled, and may drop a part of itself.
    #[inline]
    pub(super) fn forget() {
        swap_told(None);
    }

    /// What was said meanwhile: requests sent, and why no more.
    pub(super) fn taken() -> (Option<u32>, Option<&'static str>) {
        let told = swap_told(None);
        (told.map(attempts), told.and_then(stop))
    }
}

#[cfg(feature = "retry")]
fn attempts(told: Told) -> u32 {
    told.attempts.get()
}

#[cfg(feature = "retry")]
fn stop(told: Told) -> Option<&'static str> {
    told.stop.map(crate::attempts::Stop::as_str)
}

/// Nobody tells anything.
#[cfg(not(feature = "retry"))]
mod nothing {
    #[derive(Clone, Copy, Debug)]
    pub(in crate::logging) enum Told {}

    pub(super) fn swap_told(_other: Option<Told>) -> Option<Told> {
        None
    }

    pub(super) fn attempts(told: Told) -> u32 {
        match told {}
    }

    pub(super) fn stop(told: Told) -> Option<&'static str> {
        match told {}
    }
}
#[cfg(not(feature = "retry"))]
use nothing::{Told, attempts, stop, swap_told};
