//! Locks and atomics: those of std, or those of loom in tests built with `--cfg seawall_loom`.

#[cfg(not(all(test, seawall_loom)))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

#[cfg(all(test, seawall_loom))]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

/// Locks `mutex`, even if it is poisoned. User code never runs under these locks, so a panic leaves
/// no inconsistent value.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
