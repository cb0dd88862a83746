//! The rate limit of each client.

use std::{
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use lru::LruCache;

use crate::config::RateLimitConfig;

/// The maximum number of tracked clients. The least recently used one is evicted, and starts again
/// with a full burst.
const MAX_CLIENTS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The client that sent a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClientId {
    Named(Arc<str>),
    /// An IPv4 address, or the /64 network of an IPv6 address, because one host usually has a /64.
    Address(IpAddr),
    Unknown,
}

impl ClientId {
    pub(super) fn from_address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                IpAddr::V6(network.into())
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

#[derive(Debug)]
pub(super) struct ClientRateLimiter {
    quota: Quota,
    clock: DefaultClock,
    limiters: Mutex<LruCache<ClientId, Arc<DefaultDirectRateLimiter>>>,
}

impl ClientRateLimiter {
    pub(super) fn new(config: &RateLimitConfig) -> Self {
        let quota = Quota::per_minute(config.requests_per_minute).allow_burst(config.burst);
        Self {
            quota,
            clock: DefaultClock::default(),
            limiters: Mutex::new(LruCache::new(MAX_CLIENTS)),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// Returns the time until the client may send the next request.
    pub(super) fn check(&self, client: ClientId) -> Result<(), Duration> {
        let limiter = {
            let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(limiters.get_or_insert(client, || Arc::new(RateLimiter::direct(self.quota))))
        };
        limiter.check().map_err(|rejected| rejected.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limiter(requests_per_minute: u32, burst: u32) -> ClientRateLimiter {
        let [requests_per_minute, burst] =
            [requests_per_minute, burst].map(|number| NonZeroU32::new(number).unwrap());
        ClientRateLimiter::new(&RateLimitConfig { requests_per_minute, burst })
    }

    #[test]
    fn client_has_own_burst_and_then_gets_wait() {
        let limiter = limiter(1, 2);
        let one = ClientId::from_address([127, 0, 0, 1].into());
        assert_eq!(limiter.check(one.clone()), Ok(()));
        assert_eq!(limiter.check(one.clone()), Ok(()));
        let wait = limiter.check(one).unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
        assert_eq!(limiter.check(ClientId::from_address([127, 0, 0, 2].into())), Ok(()));
        assert_eq!(limiter.check(ClientId::Named("a".into())), Ok(()));
    }

    #[test]
    fn addresses_of_same_host_are_same_client() {
        let client = |text: &str| ClientId::from_address(text.parse().unwrap());
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
    }

    #[test]
    fn number_of_tracked_clients_is_bounded() {
        let limiter = limiter(1, 1);
        for number in 0..30_000_u32 {
            assert_eq!(
                limiter.check(ClientId::from_address(std::net::Ipv4Addr::from(number).into())),
                Ok(())
            );
        }
        assert_eq!(limiter.limiters.lock().unwrap().len(), MAX_CLIENTS.get());
    }
}
