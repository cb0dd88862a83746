//! Panics of others that must not get out.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

/// Does what may panic, and lets no panic out.
pub(crate) fn silenced(work: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        // It may panic as well, and so may what it panics with.
        mem::forget(catch_unwind(AssertUnwindSafe(|| drop(payload))));
    }
}

/// Does what is others', and may panic: subscribers, recorders. Should the thread be unwinding already, no panic gets
/// out: a second one would end the process.
pub(crate) fn at_most_one(work: impl FnOnce()) {
    if thread::panicking() {
        silenced(work);
    } else {
        work();
    }
}
