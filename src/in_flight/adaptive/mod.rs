mod gradient;

use std::num::NonZeroU32;

pub(super) use self::gradient::GradientLimit;

/// A limit that adapts to the latency of the upstream: see
/// [`InFlightLimitLayer::adaptive`](super::InFlightLimitLayer::adaptive).
///
/// The *baseline* is the latency of responses without a queue. The limit allows as many calls as
/// keep the latency within twice the baseline. The upstream then always has a next call, and no
/// call waits for long. The limit changes only while at least half of it is used.
///
/// - The latency is the time to the head of the response. If the limit is per key, it excludes the
///   waits for the caller's request body that `RetryLayer` records. It is averaged over at least 10
///   calls and at least 50 ms.
/// - An error, or a response with status 429 or 500 and above, counts only if it took longer than
///   twice the baseline. A timeout, for example, shows that the upstream is slow. It does not
///   change the baseline. A dropped call does not count.
/// - The baseline is learned within about 30 s while no call is rejected. While calls are rejected,
///   it may fall. It rises then only if the upstream is no faster with as few calls in flight as
///   when the baseline was learned, or in a measurement.
/// - The baseline is *measured* after 10 s in which the limit was reached and responses were slow.
///   A quarter of the limit, but at least one call, then applies until ten calls have ended. This
///   may be less than the minimum of the limit. If the calls are as slow as before, there is no
///   queue: the upstream itself has become slower, for example by a deployment or a cold cache.
///   Their latency is the new baseline. A measurement without a response for three times the
///   latency is abandoned.
/// - The limit shrinks by at most half, and once per mean latency. A queue in which calls wait for
///   10 s is short after about 25 s. A timeout per attempt makes that faster, because a call that
///   timed out counts as a slow response.
///
/// If other callers keep a queue at the upstream, a measurement includes it, and the limit may
/// grow. The maximum bounds it.
///
/// The formula, limit · gradient + √limit, is that of the gradient algorithms in Netflix's
/// concurrency-limits and in Envoy's adaptive concurrency filter. Envoy also measures the baseline
/// with a reduced limit (`min_rtt`), but at an interval and after each fall to the minimum. This
/// limit is reduced only while responses are slow and calls are rejected anyway.
///
/// ```
/// use std::num::NonZeroU32;
/// use seawall::{
///     in_flight::{AdaptiveLimit, InFlightLimitLayer},
///     keys::by_authority,
///     standard::StandardLayer,
/// };
///
/// let max = NonZeroU32::new(200).unwrap();
/// let limit = InFlightLimitLayer::adaptive(AdaptiveLimit::new().max(max)).per_key(by_authority);
/// // In the standard stack, one limit per upstream:
/// let layer = StandardLayer::new("billing")
///     .in_flight(InFlightLimitLayer::adaptive(AdaptiveLimit::new()));
/// # let _ = (limit, layer);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "settings do nothing until they are passed to a layer"]
pub struct AdaptiveLimit {
    pub(crate) initial: NonZeroU32,
    pub(crate) min: NonZeroU32,
    pub(crate) max: NonZeroU32,
}

impl AdaptiveLimit {
    /// Returns the default settings: a limit that starts at 100 calls and stays between 10 and
    /// 1,000.
    pub const fn new() -> Self {
        Self { initial: number(100), min: number(10), max: number(1_000) }
    }

    /// Sets the limit before the first measurement, in calls. Default: 100.
    pub const fn initial(self, calls: NonZeroU32) -> Self {
        Self { initial: calls, ..self }
    }

    /// Sets the minimum of the limit, in calls. With too few calls there would be nothing to
    /// measure. Only a measurement of the baseline uses fewer. Default: 10.
    pub const fn min(self, calls: NonZeroU32) -> Self {
        Self { min: calls, ..self }
    }

    /// Sets the maximum of the limit, in calls. If it is less than [`min`](Self::min), the minimum
    /// applies. Default: 1,000.
    pub const fn max(self, calls: NonZeroU32) -> Self {
        Self { max: calls, ..self }
    }

    /// Returns `calls`, limited to the minimum and the maximum.
    pub(super) fn bounded(self, calls: NonZeroU32) -> NonZeroU32 {
        calls.min(self.max).max(self.min)
    }

    pub(super) fn first(self) -> NonZeroU32 {
        self.bounded(self.initial)
    }
}

impl Default for AdaptiveLimit {
    fn default() -> Self {
        Self::new()
    }
}

const fn number(calls: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(calls - 1)
}
