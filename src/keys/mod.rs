//! One of something for all requests, or one for each key, bounded: what layers with a state have in common.

mod authority;
mod bounded_map;
mod extract;

use tokio::time::Instant;

pub use self::{authority::by_authority, extract::ByAuthority};
pub(crate) use self::{
    bounded_map::{BoundedMap, MAX_KEYS},
    extract::{KeyExtractor, RequestKeyFn, UriKey, UriKeyFn},
};

/// What is kept for a key.
pub(crate) trait Evictable: Sized {
    /// Whether nothing is lost by forgetting it.
    fn is_evictable(&self, now: Instant) -> bool;
    /// Reports that it has made room for others. No lock is held.
    fn on_evict(&self) {}
}
