//! How often each client may ask.

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

use super::config::Limit;

/// So many clients are told apart; the one that has not asked for longest makes room, and begins anew if it comes back.
const CLIENTS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Named(Arc<str>),
    /// Of an IPv6 address its /64, since a single host has all of that.
    At(IpAddr),
    Unknown,
}

impl Who {
    pub(super) fn at(address: IpAddr) -> Self {
        Self::At(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                IpAddr::V6(network.into())
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

#[derive(Debug)]
pub(super) struct Limiter {
    quota: Quota,
    clock: DefaultClock,
    each: Mutex<LruCache<Who, Arc<DefaultDirectRateLimiter>>>,
}

impl Limiter {
    pub(super) fn new(limit: &Limit) -> Self {
        let quota = Quota::per_minute(limit.requests_per_minute).allow_burst(limit.burst);
        Self { quota, clock: DefaultClock::default(), each: Mutex::new(LruCache::new(CLIENTS_MAX)) }
    }

    /// Counts a request; or says how long to wait.
    pub(super) fn check(&self, who: Who) -> Result<(), Duration> {
        let limiter = {
            let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(each.get_or_insert(who, || Arc::new(RateLimiter::direct(self.quota))))
        };
        limiter.check().map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limiter(requests_per_minute: u32, burst: u32) -> Limiter {
        let [requests_per_minute, burst] =
            [requests_per_minute, burst].map(|number| NonZeroU32::new(number).unwrap());
        Limiter::new(&Limit { requests_per_minute, burst })
    }

    #[test]
    fn each_client_has_its_own_burst_and_is_told_how_long_to_wait() {
        let limiter = limiter(1, 2);
        let one = Who::at([127, 0, 0, 1].into());
        assert_eq!(limiter.check(one.clone()), Ok(()));
        assert_eq!(limiter.check(one.clone()), Ok(()));
        let wait = limiter.check(one).unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
        assert_eq!(limiter.check(Who::at([127, 0, 0, 2].into())), Ok(()));
        assert_eq!(limiter.check(Who::Named("a".into())), Ok(()));
    }

    #[test]
    fn a_host_is_one_client_whichever_of_its_addresses_it_uses() {
        let at = |text: &str| Who::at(text.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:2"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
    }

    #[test]
    fn however_many_clients_come_so_many_are_kept() {
        let limiter = limiter(1, 1);
        for number in 0..30_000_u32 {
            assert_eq!(limiter.check(Who::at(std::net::Ipv4Addr::from(number).into())), Ok(()));
        }
        assert_eq!(limiter.each.lock().unwrap().len(), CLIENTS_MAX.get());
    }
}
