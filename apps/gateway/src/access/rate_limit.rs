//! The rate limit of each client.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use lru::LruCache;

use super::{client_address::ClientNetwork, config::RateLimitConfig};

/// The maximum number of tracked clients. The least recently used one is evicted, and starts again
/// with a full burst.
const MAX_CLIENTS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The client that sent a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClientId {
    Named(Arc<str>),
    Network(ClientNetwork),
    /// A client without an address, which shares its limit with all others.
    Unknown,
}

impl From<Option<ClientNetwork>> for ClientId {
    fn from(network: Option<ClientNetwork>) -> Self {
        network.map_or(Self::Unknown, Self::Network)
    }
}

#[derive(Debug)]
pub(crate) struct ClientRateLimiter {
    quota: Quota,
    clock: DefaultClock,
    limiters: Mutex<LruCache<ClientId, Arc<DefaultDirectRateLimiter>>>,
}

impl ClientRateLimiter {
    pub(crate) fn new(config: &RateLimitConfig) -> Self {
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
    use std::{
        net::{IpAddr, Ipv4Addr},
        num::NonZeroU32,
    };

    use super::*;

    fn client(address: impl Into<IpAddr>) -> ClientId {
        Some(ClientNetwork::from(address.into())).into()
    }

    fn limiter(requests_per_minute: u32, burst: u32) -> ClientRateLimiter {
        let [requests_per_minute, burst] =
            [requests_per_minute, burst].map(|number| NonZeroU32::new(number).unwrap());
        ClientRateLimiter::new(&RateLimitConfig { requests_per_minute, burst })
    }

    #[test]
    fn client_has_own_burst_and_then_gets_wait() {
        let limiter = limiter(1, 2);
        let one = client([127, 0, 0, 1]);
        assert_eq!(limiter.check(one.clone()), Ok(()));
        assert_eq!(limiter.check(one.clone()), Ok(()));
        let wait = limiter.check(one).unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
        assert_eq!(limiter.check(client([127, 0, 0, 2])), Ok(()));
        assert_eq!(limiter.check(ClientId::Named("a".into())), Ok(()));
    }

    #[test]
    fn number_of_tracked_clients_is_bounded() {
        let limiter = limiter(1, 1);
        for number in 0..30_000_u32 {
            assert_eq!(limiter.check(client(Ipv4Addr::from(number))), Ok(()));
        }
        assert_eq!(limiter.limiters.lock().unwrap().len(), MAX_CLIENTS.get());
    }
}
