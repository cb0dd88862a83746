mod gradient;

use std::num::NonZeroU32;

pub(super) use self::gradient::GradientLimit;

/// A limit that finds its own size: see [`InFlightLimitLayer::adaptive`](super::InFlightLimitLayer::adaptive).
///
/// It compares how long responses take with how long they take while there is no queue, and allows as many calls as keep them
/// within twice that: enough that the upstream never waits for the next call, and so few that no call waits for long. It
/// changes only while half of it or more is used.
///
/// - What is measured is the time to the head of a response, of 10 calls or more at a time, over 50 ms or more. An error
///   that comes sooner, and a response of 429 or of 500 and above, says nothing; one that comes later, such as a timeout, says
///   that the upstream is slow. A call that is dropped says nothing.
/// - What is normal is learned while no call is refused, over half a minute or so. While calls are refused it may fall, and it
///   rises only if the upstream is no faster with as few calls as it was learned with: it has become slower by itself
///   then, not by a queue.
/// - It shrinks to half at most, and once in the time that a response takes: a queue in which calls wait for 10 s is short after
///   some 25 s. A timeout for each attempt makes that shorter, since a call that ran into it is a response that was slow.
///
/// The way it is reckoned is that of the gradient in Netflix's concurrency-limits and Envoy's adaptive concurrency
/// (limit · gradient + √limit); unlike the latter, it never cuts calls off to measure.
///
/// ```
/// use std::num::NonZeroU32;
/// use seawall::{
///     in_flight::{by_authority, AdaptiveLimit, InFlightLimitLayer},
///     standard::StandardLayer,
/// };
///
/// let most = NonZeroU32::new(200).unwrap();
/// let limit = InFlightLimitLayer::adaptive(AdaptiveLimit::new().max(most)).per_key(by_authority);
/// // Or, a limit for each upstream of the whole stack:
/// let layer = StandardLayer::new("billing").in_flight(InFlightLimitLayer::adaptive(AdaptiveLimit::new()));
/// # let _ = (limit, layer);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "settings do nothing until a layer has them"]
pub struct AdaptiveLimit {
    pub(crate) initial: NonZeroU32,
    pub(crate) min: NonZeroU32,
    pub(crate) max: NonZeroU32,
}

impl AdaptiveLimit {
    /// Begins with 100 calls, and keeps between 10 and 1,000.
    pub const fn new() -> Self {
        Self { initial: number(100), min: number(10), max: number(1_000) }
    }

    /// How many calls may be under way before anything is known. Default: 100.
    pub const fn initial(self, calls: NonZeroU32) -> Self {
        Self { initial: calls, ..self }
    }

    /// The fewest calls that it ever allows, so that there is always something to learn from. Default: 10.
    pub const fn min(self, calls: NonZeroU32) -> Self {
        Self { min: calls, ..self }
    }

    /// The most calls that it ever allows; never fewer than [`min`](Self::min). Default: 1,000.
    pub const fn max(self, calls: NonZeroU32) -> Self {
        Self { max: calls, ..self }
    }

    /// Within its bounds.
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
