#[cfg(feature = "retry")]
use std::num::NonZeroU32;

#[cfg(feature = "retry")]
use crate::attempts::swap_dropped;

/// How many attempts a call had made that is dropped before its end, which nobody is left to return: it says so as it is
/// dropped.
#[derive(Debug, Default)]
pub(super) struct LeftBehind {
    /// What was said to a log further out, which is still to read it; `None` unless a call is being dropped.
    #[cfg(feature = "retry")]
    to_others: Option<Option<NonZeroU32>>,
}

#[cfg(feature = "retry")]
impl LeftBehind {
    /// The call is about to be dropped.
    pub(super) fn begin(&mut self) {
        self.to_others = Some(swap_dropped(None));
    }

    /// It was.
    pub(super) fn end(&mut self) -> Option<u32> {
        swap_dropped(self.to_others.take()?).map(NonZeroU32::get)
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
impl LeftBehind {
    pub(super) fn begin(&mut self) {}

    pub(super) fn end(&mut self) -> Option<u32> {
        None
    }

    #[inline]
    pub(super) fn forget() {}

    pub(super) fn taken() -> Option<u32> {
        None
    }
}
