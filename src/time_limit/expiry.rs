//! Marks the drop of a call whose time limit has passed.

use std::cell::Cell;

thread_local! {
    static IS_EXPIRING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `drop_call`, which drops a call whose time limit has passed.
///
/// A future can distinguish this from a caller that has given up: see [`is_expiring`]. A thread-local value
/// costs nothing in calls that end in time, unlike a value in each request.
pub(crate) fn drop_expired<T>(drop_call: impl FnOnce() -> T) -> T {
    let _scope = Scope(IS_EXPIRING.replace(true));
    drop_call()
}

/// Returns whether the value that is being dropped is part of a call whose time limit has passed.
pub(crate) fn is_expiring() -> bool {
    // The destructors of a thread may run after that of the value.
    IS_EXPIRING.try_with(Cell::get).unwrap_or(false)
}

/// Restores the former value, even if the drop panics.
struct Scope(bool);

impl Drop for Scope {
    fn drop(&mut self) {
        IS_EXPIRING.set(self.0);
    }
}
