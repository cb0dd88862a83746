//! The current waits. All functions take the time as an argument.

use std::{num::NonZeroUsize, time::Duration};

use lru::LruCache;
use tokio::time::Instant;

use super::identity::Identity;

/// The maximum number of waits. The least recently used is dropped.
const MAX_WAITS: NonZeroUsize = const { NonZeroUsize::new(10_000).unwrap() };

/// The wait after the first failure of a request.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The wait after the second failure. It doubles with each further one.
const SECOND_WAIT: Duration = Duration::from_secs(5);

/// The maximum wait, also of a `Retry-After`.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The time after the end of a wait after which an earlier failure of a request is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct WaitMap {
    waits: LruCache<u64, Wait>,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    duration: Duration,
    reason: WaitReason,
}

/// The reason why a client must wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitReason {
    /// The upstream responded with 429 and `Retry-After`.
    RateLimited,
    /// The upstream responded with another status and `Retry-After`.
    Unavailable,
    /// The same request failed after retries.
    Repeated,
}

/// The admission of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    /// The request repeats one that failed, so it gets no retry.
    SingleAttempt,
    Rejected {
        reason: WaitReason,
        remaining: Duration,
    },
}

impl WaitMap {
    pub(super) fn new() -> Self {
        Self { waits: LruCache::new(MAX_WAITS) }
    }

    pub(super) fn admit(&mut self, identity: Identity, now: Instant) -> Admission {
        if self.waits.is_empty() {
            return Admission::Admitted;
        }
        for key in [identity.client, identity.request] {
            let Some(&Wait { until, reason, .. }) = self.waits.get(&key) else { continue };
            if now < until {
                return Admission::Rejected { reason, remaining: until - now };
            }
            if reason == WaitReason::Repeated && now < until + FORGET_AFTER {
                return Admission::SingleAttempt;
            }
            self.waits.pop(&key);
        }
        Admission::Admitted
    }

    /// Records a `Retry-After` of the upstream.
    pub(super) fn on_retry_after(
        &mut self,
        identity: Identity,
        retry_after: Duration,
        reason: WaitReason,
        now: Instant,
    ) {
        let duration = retry_after.min(MAX_WAIT);
        let until = now + duration;
        let earlier = self.waits.get(&identity.client).map(|wait| wait.until);
        if earlier.is_none_or(|earlier| earlier < until) {
            self.waits.put(identity.client, Wait { until, duration, reason });
        }
    }

    /// Records the failure of a request after its retries, or of its single attempt.
    pub(super) fn on_failure(&mut self, identity: Identity, now: Instant) {
        let earlier = self.waits.get(&identity.request).map(|wait| wait.duration);
        let duration =
            earlier.map_or(FIRST_WAIT, |earlier| (earlier * 2).clamp(SECOND_WAIT, MAX_WAIT));
        let wait = Wait { until: now + duration, duration, reason: WaitReason::Repeated };
        self.waits.put(identity.request, wait);
    }

    /// Records the success of a request.
    pub(super) fn on_success(&mut self, identity: Identity) {
        self.waits.pop(&identity.request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Identity = Identity { client: 1, request: 10 };
    const SAME_CLIENT: Identity = Identity { client: 1, request: 11 };
    const OTHER: Identity = Identity { client: 2, request: 20 };

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn retry_after_rejects_same_client_until_then() {
        let (mut waits, start) = (WaitMap::new(), Instant::now());
        waits.on_retry_after(ONE, seconds(300), WaitReason::RateLimited, start);
        // A shorter wait does not replace a longer one.
        waits.on_retry_after(ONE, seconds(1), WaitReason::Unavailable, start);
        for identity in [ONE, SAME_CLIENT] {
            let remaining = seconds(20);
            let rejected = Admission::Rejected { reason: WaitReason::RateLimited, remaining };
            assert_eq!(waits.admit(identity, start + seconds(40)), rejected);
        }
        assert_eq!(waits.admit(OTHER, start), Admission::Admitted);
        assert_eq!(waits.admit(ONE, start + MAX_WAIT), Admission::Admitted);
        assert!(waits.waits.is_empty());
    }

    #[test]
    fn repeated_failures_prolong_wait_of_same_request_only() {
        let (mut waits, mut now) = (WaitMap::new(), Instant::now());
        for wait in [1, 5, 10, 20, 40, 60, 60] {
            waits.on_failure(ONE, now);
            let rejected =
                Admission::Rejected { reason: WaitReason::Repeated, remaining: seconds(wait) };
            assert_eq!(waits.admit(ONE, now), rejected);
            assert_eq!(waits.admit(SAME_CLIENT, now), Admission::Admitted);
            now += seconds(wait);
            assert_eq!(waits.admit(ONE, now), Admission::SingleAttempt);
        }
        waits.on_success(ONE);
        assert_eq!(waits.admit(ONE, now), Admission::Admitted);
    }

    #[test]
    fn failure_is_forgotten_a_minute_after_its_wait() {
        let (mut waits, start) = (WaitMap::new(), Instant::now());
        waits.on_failure(ONE, start);
        let end = start + FIRST_WAIT + FORGET_AFTER;
        assert_eq!(waits.admit(ONE, end - seconds(1)), Admission::SingleAttempt);
        assert_eq!(waits.admit(ONE, end), Admission::Admitted);
        assert!(waits.waits.is_empty());
    }

    #[test]
    fn number_of_waits_is_bounded() {
        let (mut waits, now) = (WaitMap::new(), Instant::now());
        for number in 0..30_000 {
            waits.on_failure(Identity { client: number, request: number }, now);
        }
        assert_eq!(waits.waits.len(), MAX_WAITS.get());
    }
}
