use std::{mem, num::NonZeroU32};

#[cfg(feature = "retry")]
use crate::attempts::swap_dropped;

/// How many attempts a call had made that is dropped before its end, which nobody is left to return: it says so as it is
/// dropped.
#[derive(Debug, Default)]
pub(super) enum LeftBehind {
    /// The call is under way.
    #[default]
    Nothing,
    /// The call is being dropped.
    Something {
        /// What was said before, to a log further out, which is still to read it.
        to_others: Option<NonZeroU32>,
    },
}

impl LeftBehind {
    /// The call is about to be dropped.
    pub(super) fn begin(&mut self) {
        *self = Self::Something { to_others: swap_dropped(None) };
    }

    pub(super) const fn has_begun(&self) -> bool {
        matches!(self, Self::Something { .. })
    }

    /// It was.
    pub(super) fn end(&mut self) -> Option<u32> {
        match mem::take(self) {
            Self::Nothing => None,
            Self::Something { to_others } => swap_dropped(to_others).map(NonZeroU32::get),
        }
    }

    /// The call is about to be polled, and may drop a part of itself.
    #[inline]
    pub(super) fn forget() {
        swap_dropped(None);
    }

    /// What such a part has said.
    pub(super) fn taken() -> Option<u32> {
        swap_dropped(None).map(NonZeroU32::get)
    }
}

#[cfg(not(feature = "retry"))]
fn swap_dropped(_other: Option<NonZeroU32>) -> Option<NonZeroU32> {
    None
}
