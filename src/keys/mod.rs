//! One of something for all requests, or one for each key, bounded: what layers with a state have in common.

mod authority;
mod by;
mod store;

use tokio::time::Instant;

pub use self::authority::by_authority;
#[cfg(feature = "standard")]
pub use self::by::ByAuthority;
#[cfg(feature = "retry")]
pub(crate) use self::by::KeyOf;
#[cfg(feature = "standard")]
pub(crate) use self::by::Named;
#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
pub(crate) use self::by::{ByRequest, ByUri, Key};
#[cfg(any(test, feature = "circuit-breaker"))]
pub(crate) use self::store::KEYS_MAX;
pub(crate) use self::store::Store;

/// What is kept for a key.
pub(crate) trait Keep: Sized {
    /// Whether nothing is lost by forgetting it.
    fn is_clean(&self, now: Instant) -> bool;
    /// Reports that it has made room for others. No lock is held.
    fn removed(&self) {}
}
