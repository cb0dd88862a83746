use std::{error::Error, mem, num::NonZeroU32};

use crate::{
    error::find_source,
    failure::{Cause, Failure},
};

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
        to_others: Option<NonZeroU32>,
    },
}

impl LeftBehind {
    /// The call is about to be dropped.
    #[inline]
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
        forget_told();
    }

    /// What was said meanwhile of a call that ended in this: requests sent, and why no more.
    pub(super) fn taken(
        error: Option<&(dyn Error + 'static)>,
        failure: &Failure,
    ) -> (Option<u32>, Option<&'static str>) {
        if let Some(stop) = error.and_then(stop_of) {
            return (Some(1), Some(stop.as_str()));
        }
        let dropped = swap_dropped(None);
        // What ends a call by dropping it is a limit of its time. Whatever else failed may have dropped another, and so may what
        // an operating system calls a timeout.
        let is_late = failure.cause() == Cause::HttpResponseTimeout && error.is_some_and(is_limit);
        (dropped.filter(|_| is_late).map(NonZeroU32::get), None)
    }
}

/// Whether it says that a limit of time has passed, which drops what it is around.
fn is_limit(error: &(dyn Error + 'static)) -> bool {
    #[cfg(any(feature = "timeout", feature = "body-timeout", feature = "deadline"))]
    if find_source::<crate::time_limit::Elapsed>(error).is_some() {
        return true;
    }
    find_source::<tokio::time::error::Elapsed>(error).is_some()
}

/// Nobody tells anything.
mod nothing {
    use super::{Error, NonZeroU32};

    #[derive(Clone, Copy, Debug)]
    pub(super) enum Stop {}

    impl Stop {
        pub(super) const fn as_str(self) -> &'static str {
            match self {}
        }
    }

    pub(super) fn swap_dropped(_other: Option<NonZeroU32>) -> Option<NonZeroU32> {
        None
    }

    pub(super) fn forget_told() {}

    pub(super) fn stop_of(_error: &(dyn Error + 'static)) -> Option<Stop> {
        None
    }
}
use nothing::{forget_told, stop_of, swap_dropped};
