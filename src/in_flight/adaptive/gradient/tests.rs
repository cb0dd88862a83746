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
    fn latency(&self, in_flight: u32) -> Duration {
        self.takes * in_flight.max(self.workers) / self.workers
    }
}

struct Run {
    machine: GradientLimit,
    settings: AdaptiveLimit,
    limit: u32,
    now: Duration,
}

impl Run {
    fn new(settings: AdaptiveLimit) -> Self {
        let limit = settings.first().get();
        Self { machine: GradientLimit::new(settings), settings, limit, now: Duration::ZERO }
    }

    /// A second of `wanted` calls under way at any time, as far as they are allowed.
    fn second(&mut self, upstream: &Upstream, wanted: u32) {
        let until = self.now + Duration::from_secs(1);
        while self.now < until {
            let in_flight = wanted.min(self.limit);
            if wanted > self.limit {
                self.machine.rejected();
            }
            let latency = upstream.latency(in_flight);
            self.now += latency / in_flight.max(1);
            let changed = self.machine.latency(self.now, latency, in_flight, self.settings);
            self.limit = changed.map_or(self.limit, NonZeroU32::get);
        }
    }

    /// Responses that take so long, with as many under way, until there is a limit by them.
    fn measure(&mut self, latency: Duration, in_flight: u32) -> u32 {
        self.responses(1_000, latency / 5 + 10 * MS, latency, in_flight).unwrap()
    }

    /// As [`measure`](Self::measure), while more are refused.
    fn measure_and_refuse(&mut self, latency: Duration, in_flight: u32) -> u32 {
        self.machine.rejected();
        self.measure(latency, in_flight)
    }

    /// So many responses, one after each such time, but no more once there is a limit by them.
    fn responses(
        &mut self,
        responses: u32,
        each: Duration,
        latency: Duration,
        in_flight: u32,
    ) -> Option<u32> {
        let changed = (0..responses).find_map(|_| {
            self.now += each;
            self.machine.latency(self.now, latency, in_flight, self.settings)
        })?;
        self.limit = changed.get();
        Some(self.limit)
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
        let settings = AdaptiveLimit::new()
            .initial(number(initial)).min(number(min)).max(number(max));
        let mut machine = GradientLimit::new(settings);
        let mut now = Duration::ZERO;
        for (passed, latency, in_flight, what) in steps {
            // Mostly small; now and then as long as time can be.
            let scale = if what == 3 { u64::MAX } else { 1_000_000_000 };
            now = now.saturating_add(Duration::from_nanos(passed % scale));
            let latency = Duration::from_nanos(latency % scale);
            let limit = match what {
                0 => {
                    machine.rejected();
                    None
                }
                1 => machine.failed(now, latency, in_flight, settings),
                _ => machine.latency(now, latency, in_flight, settings),
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
        let mut run = Run::new(AdaptiveLimit::new().min(number(1)));
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
        let latency = upstream.latency(run.limit);
        prop_assert!(run.limit >= upstream.workers, "{} for {}", run.limit, upstream.workers);
        prop_assert!(latency < upstream.takes * 10, "{latency:?} with {}", run.limit);
        upstream.workers = workers;
        for _ in 0..5 {
            run.second(&upstream, wanted);
        }
        prop_assert!(run.limit >= wanted, "{} of {wanted} afterwards", run.limit);
    }
}

#[test]
fn an_upstream_that_becomes_slower_by_itself_is_not_taken_for_one_with_a_queue() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.second(&Upstream { workers: 1_000, takes: 20 * MS }, 40);
    let slower = Upstream { workers: 1_000, takes: 200 * MS };
    for _ in 0..20 {
        run.second(&slower, 400);
    }
    assert!(run.limit >= 400, "{}", run.limit);
}

#[test]
fn failures_that_come_soon_say_nothing_and_those_that_come_late_shrink_it() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.second(&Upstream { workers: 100, takes: 20 * MS }, 90);
    let before = run.limit;
    for latency in [MS, 35 * MS] {
        for _ in 0..1_000 {
            run.now += MS;
            assert!(run.machine.failed(run.now, latency, before, run.settings).is_none());
        }
    }
    let late = (0..2_000).filter_map(|_| {
        run.now += MS;
        run.machine.failed(run.now, 1_000 * MS, before, run.settings)
    });
    assert!(late.last().unwrap().get() < before);
}

#[test]
fn it_does_not_grow_while_it_is_not_used() {
    let mut run = Run::new(AdaptiveLimit::new());
    for _ in 0..60 {
        run.second(&Upstream { workers: 100, takes: 20 * MS }, 5);
    }
    assert_eq!(run.limit, 100);
}

#[test]
fn it_learns_by_ten_responses_or_more_at_a_time() {
    let mut run = Run::new(AdaptiveLimit::new());
    assert_eq!(run.responses(9, 1_000 * MS, MS, 100), None);
    assert!(run.responses(1, 1_000 * MS, MS, 100).is_some());
}

#[test]
fn it_learns_over_fifty_milliseconds_or_more() {
    let mut run = Run::new(AdaptiveLimit::new());
    assert_eq!(run.responses(50, MS, MS, 100), None);
    assert!(run.responses(1, MS, MS, 100).is_some());
}

#[test]
fn it_changes_once_in_the_time_that_a_response_takes() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.measure(20 * MS, 40);
    assert_eq!(run.responses(100, 10 * MS, 1_000 * MS, 100), None);
    assert!(run.responses(1, 10 * MS, 1_000 * MS, 100).is_some());
}

#[test]
fn it_shrinks_to_half_at_most_however_slow_the_upstream_is() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.measure(MS, 40);
    let limit = run.measure_and_refuse(60_000 * MS, 100);
    assert!((50..100).contains(&limit), "{limit}");
}

#[test]
fn after_a_long_time_at_its_most_it_shrinks_as_soon_as_responses_are_slow() {
    let mut run = Run::new(AdaptiveLimit::new());
    for _ in 0..1_000 {
        run.measure_and_refuse(20 * MS, run.limit);
    }
    assert_eq!(run.limit, 1_000);
    assert!(run.measure_and_refuse(1_000 * MS, 1_000) < 1_000);
}

#[test]
fn what_is_slower_while_no_call_is_refused_is_normal_after_half_a_minute_or_so() {
    for (seconds, is_normal) in [(5, false), (60, true)] {
        let mut run = Run::new(AdaptiveLimit::new());
        run.measure(20 * MS, 40);
        for _ in 0..seconds {
            run.second(&Upstream { workers: 40, takes: 200 * MS }, 40);
        }
        let limit = run.measure_and_refuse(200 * MS, 100);
        assert_eq!(limit > 100, is_normal, "{limit} after {seconds} s");
    }
}

#[test]
fn calls_that_come_seldom_do_not_teach_more_than_they_show() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.measure(20 * MS, 5);
    run.responses(10, Duration::from_secs(360), 40 * MS, 1).unwrap();
    assert!(run.measure_and_refuse(400 * MS, 100) < 100);
}

#[test]
fn what_is_faster_is_normal_even_while_calls_are_refused() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.measure(200 * MS, 40);
    for _ in 0..20 {
        run.measure_and_refuse(20 * MS, run.limit);
    }
    let before = run.limit;
    let limit = run.measure_and_refuse(100 * MS, before);
    assert!(limit < before, "{limit} of {before}");
}

#[test]
fn a_queue_that_is_still_there_after_it_shrank_is_not_normal() {
    let mut run = Run::new(AdaptiveLimit::new());
    run.measure(20 * MS, 40);
    for left in [100, 90, 80, 70] {
        run.measure(1_000 * MS, left);
    }
    let before = run.limit;
    let limit = run.measure_and_refuse(100 * MS, 60);
    assert!(limit < before, "{limit} of {before}");
}
