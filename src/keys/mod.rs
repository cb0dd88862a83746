//! One of something for all requests, or one for each key, bounded: what layers with a state have in common.

mod authority;
mod by;
mod store;

use tokio::time::Instant;

pub use self::{authority::by_authority, by::ByAuthority};
pub(crate) use self::{
    by::{KeyExtractor, RequestKeyFn, UriKey, UriKeyFn},
    store::{BoundedMap, KEYS_MAX},
};

/// What is kept for a key.
pub(crate) trait Evictable: Sized {
    /// Whether nothing is lost by forgetting it.
    fn is_clean(&self, now: Instant) -> bool;
    /// Reports that it has made room for others. No lock is held.
    fn removed(&self) {}
}
