//! The limit of wrong tokens by address.
//!
//! An address may send ten wrong tokens in a minute. Further ones get 429 with `Retry-After`.
//!
//! A correct token of at least 22 characters is admitted even then. Other callers may share the
//! address: behind NAT or a balancer, or in the containers of a host. One of them with an outdated
//! token must not lock out the others. The guesses that this permits are infeasible: 22 random
//! characters of base64 have 128 bits, and a billion guesses per second take more than 10²⁰ years.
//!
//! A shorter token is refused while its address is over the limit, because its guesses are not
//! infeasible. So they are limited to ten per minute and address.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lru::LruCache;
use tokio::time::Instant;

use super::client_address::ClientNetwork;

/// The number of wrong tokens that an address may send in a window.
const MAX_FAILURES: usize = 10;

const WINDOW: Duration = Duration::from_secs(60);

/// The maximum number of tracked addresses. The least recently used one is evicted, and starts
/// again with no failures.
const MAX_NETWORKS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The wrong tokens of each address.
#[derive(Debug)]
pub(crate) struct FailedTokens(Mutex<LruCache<Option<ClientNetwork>, Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    start: Instant,
    failures: usize,
}

impl Default for FailedTokens {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MAX_NETWORKS)))
    }
}

impl FailedTokens {
    /// Returns the remaining time of an address over the limit.
    pub(super) fn wait(&self, network: Option<ClientNetwork>, now: Instant) -> Option<Duration> {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.peek(&network).and_then(|window| window.wait(now))
    }

    /// Counts wrong tokens. Returns the remaining time if the address was over the limit before.
    pub(super) fn record(
        &self,
        network: Option<ClientNetwork>,
        failures: usize,
        now: Instant,
    ) -> Option<Duration> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get_or_insert_mut(network, || Window { start: now, failures: 0 });
        if now.saturating_duration_since(window.start) >= WINDOW {
            *window = Window { start: now, failures: 0 };
        }
        let wait = window.wait(now);
        window.failures = window.failures.saturating_add(failures);
        wait
    }
}

impl Window {
    fn wait(&self, now: Instant) -> Option<Duration> {
        let left = WINDOW.checked_sub(now.saturating_duration_since(self.start))?;
        (self.failures >= MAX_FAILURES && !left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn network(number: u32) -> ClientNetwork {
        IpAddr::from(Ipv4Addr::from(number)).into()
    }

    #[test]
    fn address_waits_for_rest_of_minute_after_ten_failures() {
        let (failed, start) = (FailedTokens::default(), Instant::now());
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(failed.record(Some(network(1)), 1, now), None);
        }
        let now = start + Duration::from_secs(20);
        assert_eq!(failed.wait(Some(network(1)), now), Some(Duration::from_secs(40)));
        assert_eq!(failed.record(Some(network(1)), 1, now), Some(Duration::from_secs(40)));
        assert_eq!(failed.wait(Some(network(2)), now), None);
        let now = start + WINDOW;
        assert_eq!(failed.wait(Some(network(1)), now), None);
        assert_eq!(failed.record(Some(network(1)), 9, now), None);
        assert_eq!(failed.wait(Some(network(1)), now), None);
        assert_eq!(failed.record(Some(network(1)), 1, now), None);
        assert_eq!(failed.wait(Some(network(1)), now), Some(WINDOW));
    }

    #[test]
    fn number_of_tracked_addresses_is_bounded() {
        let (failed, now) = (FailedTokens::default(), Instant::now());
        for number in 0..30_000 {
            assert_eq!(failed.record(Some(network(number)), 1, now), None);
        }
        assert_eq!(failed.0.lock().unwrap().len(), MAX_NETWORKS.get());
    }
}
