//! What is learned of an upstream, and the limit that follows from it. Pure: time is handed in, counted from any fixed moment.

use std::{num::NonZeroU32, time::Duration};

use super::Adaptive;

/// Fewer calls, and a shorter time, are chance.
const CALLS: u32 = 10;
const SHORTEST: Duration = Duration::from_millis(50);

/// Responses may take so many times as long as they do without a queue.
const TOLERANCE: f64 = 2.0;

/// The limit shrinks to half at most at a time.
const STEEPEST: f64 = 0.5;

/// How long it takes to learn what is normal, in seconds.
const LEARNING: f64 = 30.0;

/// The part of what is new that is taken over at once where there is no doubt.
const AT_ONCE: f64 = 0.2;

#[derive(Debug)]
pub(crate) struct GradientLimit {
    limit: f64,
    normal: Option<Baseline>,
    batch: SampleWindow,
}

/// How the upstream is without a queue.
#[derive(Clone, Copy, Debug)]
struct Baseline {
    /// Seconds.
    took: f64,
    in_flight: f64,
}

/// The calls that are measured now.
#[derive(Debug, Default)]
struct SampleWindow {
    began: Duration,
    calls: u32,
    /// Seconds.
    sum: f64,
    most_in_flight: u32,
    refused: bool,
}

impl GradientLimit {
    pub(crate) fn new(settings: Adaptive) -> Self {
        Self { limit: settings.first().get().into(), normal: None, batch: SampleWindow::default() }
    }

    /// A call was refused.
    pub(crate) fn refused(&mut self) {
        self.batch.refused = true;
    }

    /// A call failed after this time. That counts if it was long.
    pub(crate) fn failed(
        &mut self,
        now: Duration,
        took: Duration,
        in_flight: u32,
        settings: Adaptive,
    ) -> Option<NonZeroU32> {
        let is_long = |normal: Baseline| took.as_secs_f64() > TOLERANCE * normal.took;
        self.normal.is_some_and(is_long).then(|| self.took(now, took, in_flight, settings))?
    }

    /// The response to a call came after this time, while so many were under way, it included. Gives the limit, if there is a
    /// new one.
    pub(crate) fn took(
        &mut self,
        now: Duration,
        took: Duration,
        in_flight: u32,
        settings: Adaptive,
    ) -> Option<NonZeroU32> {
        let batch = &mut self.batch;
        if batch.calls == 0 {
            batch.began = now;
        }
        batch.calls = batch.calls.saturating_add(1);
        batch.sum += took.as_secs_f64();
        batch.most_in_flight = batch.most_in_flight.max(in_flight);
        // So long that those which came after the last change are among them.
        let mean = batch.sum / f64::from(batch.calls);
        let lasted = now.saturating_sub(batch.began);
        if batch.calls < CALLS || lasted < SHORTEST || lasted.as_secs_f64() < mean {
            return None;
        }
        let batch = std::mem::take(batch);
        Some(self.learn(&batch, mean, lasted, settings))
    }

    fn learn(
        &mut self,
        batch: &SampleWindow,
        took: f64,
        lasted: Duration,
        settings: Adaptive,
    ) -> NonZeroU32 {
        let in_flight = f64::from(batch.most_in_flight);
        let in_the_way = batch.refused || in_flight >= self.limit;
        let new = Baseline { took, in_flight };
        let normal = self.normal.get_or_insert(new);
        if took < normal.took || (in_the_way && in_flight <= normal.in_flight) {
            normal.follow(new, AT_ONCE);
        } else if !in_the_way {
            normal.follow(new, (lasted.as_secs_f64() / LEARNING).min(AT_ONCE));
        }
        let gradient = (TOLERANCE * normal.took / took.max(f64::MIN_POSITIVE)).clamp(STEEPEST, 1.0);
        let is_used = in_flight >= self.limit / 2.0;
        if is_used {
            self.limit = self.limit * gradient + self.limit.sqrt();
        }
        let whole = NonZeroU32::new(self.limit as u32).unwrap_or(NonZeroU32::MIN);
        let bounded = settings.bounded(whole);
        if bounded != whole {
            self.limit = bounded.get().into();
        }
        bounded
    }
}

impl Baseline {
    fn follow(&mut self, new: Self, part: f64) {
        self.took += part * (new.took - self.took);
        self.in_flight += part * (new.in_flight - self.in_flight);
    }
}

#[cfg(test)]
mod tests;
