//! Keys of requests, for layers that keep state per upstream.
//!
//! A retry budget, a circuit breaker and a limit of calls in flight can have one state for all
//! requests, or one for each key. [`by_authority`] returns the host and port as the key.
//!
//! Each layer stores at most 4,096 keys of at most 1,024 bytes.

mod authority;
mod bounded_map;
mod key_fn;

use tokio::time::Instant;

pub use self::{
    authority::by_authority,
    key_fn::{RequestKey, UriKey},
};
pub(crate) use self::{
    bounded_map::{BoundedMap, MAX_KEYS},
    key_fn::KeyExtractor,
};

/// The value of a key in a [`BoundedMap`].
pub(crate) trait Evictable: Sized {
    /// Returns whether the value may be removed without a loss of state.
    fn is_evictable(&self, now: Instant) -> bool;
    /// Called after the value was removed to make room for others. No lock is held.
    fn on_evict(&self) {}
}
