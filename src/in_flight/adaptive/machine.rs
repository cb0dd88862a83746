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
pub(crate) struct Machine {
    limit: f64,
    normal: Option<Normal>,
    batch: Batch,
}

/// How the upstream is without a queue.
#[derive(Clone, Copy, Debug)]
struct Normal {
    /// Seconds.
    took: f64,
    in_flight: f64,
}

/// The calls that are measured now.
#[derive(Debug, Default)]
struct Batch {
    began: Duration,
    calls: u32,
    /// Seconds.
    sum: f64,
    most_in_flight: u32,
    refused: bool,
}

impl Machine {
    pub(crate) fn new(settings: Adaptive) -> Self {
        Self { limit: settings.first().get().into(), normal: None, batch: Batch::default() }
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
        let is_long = |normal: Normal| took.as_secs_f64() > TOLERANCE * normal.took;
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
        batch: &Batch,
        took: f64,
        lasted: Duration,
        settings: Adaptive,
    ) -> NonZeroU32 {
        let in_flight = f64::from(batch.most_in_flight);
        let in_the_way = batch.refused || in_flight >= self.limit;
        let new = Normal { took, in_flight };
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

impl Normal {
    fn follow(&mut self, new: Self, part: f64) {
        self.took += part * (new.took - self.took);
        self.in_flight += part * (new.in_flight - self.in_flight);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(calls: u32) -> NonZeroU32 {
        NonZeroU32::new(calls).unwrap()
    }

    const MS: Duration = Duration::from_millis(1);

    /// An upstream with so many workers: what is under way beyond them waits.
    struct Upstream {
        workers: u32,
        takes: Duration,
    }

    impl Upstream {
        /// How long a response takes with `in_flight` calls under way: by Little's law, if more than it can do at once.
        fn took(&self, in_flight: u32) -> Duration {
            self.takes * in_flight.max(self.workers) / self.workers
        }
    }

    struct Run {
        machine: Machine,
        settings: Adaptive,
        limit: u32,
        now: Duration,
    }

    impl Run {
        fn new(settings: Adaptive) -> Self {
            let limit = settings.first().get();
            Self { machine: Machine::new(settings), settings, limit, now: Duration::ZERO }
        }

        /// A second of `wanted` calls under way at any time, as far as they are allowed.
        fn second(&mut self, upstream: &Upstream, wanted: u32) {
            let until = self.now + Duration::from_secs(1);
            while self.now < until {
                let in_flight = wanted.min(self.limit);
                if wanted > self.limit {
                    self.machine.refused();
                }
                let took = upstream.took(in_flight);
                self.now += took / in_flight.max(1);
                let changed = self.machine.took(self.now, took, in_flight, self.settings);
                self.limit = changed.map_or(self.limit, NonZeroU32::get);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_limit_keeps_within_its_bounds_whatever_happens(
            bounds in (1_u32..300, 1_u32..300, 1_u32..300),
            steps in prop::collection::vec(
                (any::<u64>(), any::<u64>(), 0_u32..=u32::MAX, 0_u8..4),
                1..300,
            ),
        ) {
            let (initial, min, max) = bounds;
            let settings = Adaptive::new()
                .initial(number(initial)).min(number(min)).max(number(max));
            let mut machine = Machine::new(settings);
            let mut now = Duration::ZERO;
            for (passed, took, in_flight, what) in steps {
                // Mostly small; now and then as long as time can be.
                let scale = if what == 3 { u64::MAX } else { 1_000_000_000 };
                now = now.saturating_add(Duration::from_nanos(passed % scale));
                let took = Duration::from_nanos(took % scale);
                let limit = match what {
                    0 => {
                        machine.refused();
                        None
                    }
                    1 => machine.failed(now, took, in_flight, settings),
                    _ => machine.took(now, took, in_flight, settings),
                };
                if let Some(limit) = limit {
                    prop_assert!(limit.get() >= min && limit.get() <= max.max(min));
                }
                prop_assert!(machine.limit.is_finite());
            }
        }

    }

    proptest! {
        // Each is more than a minute and a half of calls.
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn a_brown_out_is_met_by_a_limit_that_keeps_the_upstream_busy_and_the_queue_short(
            workers in 8_u32..100,
            takes in 20_u64..300,
            part in 20_u32..90,
        ) {
            let mut upstream = Upstream { workers, takes: Duration::from_millis(takes) };
            let mut run = Run::new(Adaptive::new().min(number(1)));
            let wanted = workers * 3 / 4;
            for _ in 0..30 {
                run.second(&upstream, wanted);
            }
            prop_assert!(run.limit >= wanted, "{} of {wanted} while it is well", run.limit);
            upstream.workers = (workers * part / 100).max(2);
            // It shrinks once in the time of a response, which is that of the queue: with 100 before two workers of 300 ms
            // it is half a minute until the queue is short.
            for _ in 0..60 {
                run.second(&upstream, 1_000);
            }
            let took = upstream.took(run.limit);
            prop_assert!(run.limit >= upstream.workers, "{} for {}", run.limit, upstream.workers);
            prop_assert!(took < upstream.takes * 10, "{took:?} with {}", run.limit);
            upstream.workers = workers;
            for _ in 0..5 {
                run.second(&upstream, wanted);
            }
            prop_assert!(run.limit >= wanted, "{} of {wanted} afterwards", run.limit);
        }
    }

    #[test]
    fn an_upstream_that_becomes_slower_by_itself_is_not_taken_for_one_with_a_queue() {
        let mut run = Run::new(Adaptive::new());
        run.second(&Upstream { workers: 1_000, takes: 20 * MS }, 40);
        let slower = Upstream { workers: 1_000, takes: 200 * MS };
        for _ in 0..20 {
            run.second(&slower, 400);
        }
        assert!(run.limit >= 400, "{}", run.limit);
    }

    #[test]
    fn failures_that_come_soon_say_nothing_and_those_that_come_late_shrink_it() {
        let mut run = Run::new(Adaptive::new());
        run.second(&Upstream { workers: 100, takes: 20 * MS }, 90);
        let before = run.limit;
        for _ in 0..1_000 {
            run.now += MS;
            assert!(run.machine.failed(run.now, MS, before, run.settings).is_none());
        }
        let late = (0..2_000).filter_map(|_| {
            run.now += MS;
            run.machine.failed(run.now, 1_000 * MS, before, run.settings)
        });
        assert!(late.last().unwrap().get() < before);
    }

    #[test]
    fn it_does_not_grow_while_it_is_not_used() {
        let mut run = Run::new(Adaptive::new());
        for _ in 0..60 {
            run.second(&Upstream { workers: 100, takes: 20 * MS }, 5);
        }
        assert_eq!(run.limit, 100);
    }
}
