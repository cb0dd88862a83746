use proptest::prelude::*;

use super::*;

fn number(calls: u32) -> NonZeroU32 {
    NonZeroU32::new(calls).unwrap()
}

const MS: Duration = Duration::from_millis(1);

/// An upstream with this number of workers. Calls beyond it wait in a queue.
struct Upstream {
    workers: u32,
    service_time: Duration,
}

impl Upstream {
    /// Returns the latency with `in_flight` calls, by Little's law if there are more calls than
    /// workers.
    fn latency(&self, in_flight: u32) -> Duration {
        self.service_time * in_flight.max(self.workers) / self.workers
    }
}

/// A simulation of a limit and its time.
struct Simulation {
    machine: GradientLimit,
    settings: AdaptiveLimit,
    limit: u32,
    now: Duration,
}

impl Simulation {
    fn new(settings: AdaptiveLimit) -> Self {
        let limit = settings.first().get();
        Self { machine: GradientLimit::new(settings), settings, limit, now: Duration::ZERO }
    }

    /// Runs one second with `wanted` calls in flight, or as many as the limit allows.
    /// Returns the number of calls that passed.
    fn run_second(&mut self, upstream: &Upstream, wanted: u32) -> u32 {
        let mut passed = 0;
        let until = self.now + Duration::from_secs(1);
        while self.now < until {
            let in_flight = wanted.min(self.limit);
            if wanted > self.limit {
                self.reject();
            }
            let latency = upstream.latency(in_flight);
            self.now += latency / in_flight.max(1);
            let changed = self.machine.on_response(self.now, latency, in_flight, self.settings);
            self.limit = changed.map_or(self.limit, NonZeroU32::get);
            passed += 1;
        }
        passed
    }

    /// Sends responses of this latency until the limit is updated.
    fn measure(&mut self, latency: Duration, in_flight: u32) -> u32 {
        self.send_responses(1_000, latency / 5 + 10 * MS, latency, in_flight).unwrap()
    }

    /// Rejects a call, and then does the same as [`measure`](Self::measure).
    fn measure_with_rejection(&mut self, latency: Duration, in_flight: u32) -> u32 {
        self.reject();
        self.measure(latency, in_flight)
    }

    fn reject(&mut self) {
        let changed = self.machine.on_rejection(self.now, self.settings);
        self.limit = changed.map_or(self.limit, NonZeroU32::get);
    }

    /// Runs until a measurement of the baseline has ended, if one has started.
    fn end_measurement(&mut self, upstream: &Upstream, wanted: u32) {
        while self.machine.measurement.is_some() {
            self.run_second(upstream, wanted);
        }
    }

    /// Sends responses at this interval until the limit is updated. Returns the new limit, if there
    /// is one.
    fn send_responses(
        &mut self,
        responses: u32,
        interval: Duration,
        latency: Duration,
        in_flight: u32,
    ) -> Option<u32> {
        let changed = (0..responses).find_map(|_| {
            self.now += interval;
            self.machine.on_response(self.now, latency, in_flight, self.settings)
        })?;
        self.limit = changed.get();
        Some(self.limit)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn limit_stays_within_its_bounds(
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
        for (elapsed, latency, in_flight, step) in steps {
            // Most durations are small. Some are as long as the type allows.
            let scale = if step == 3 { u64::MAX } else { 1_000_000_000 };
            now = now.saturating_add(Duration::from_nanos(elapsed % scale));
            let latency = Duration::from_nanos(latency % scale);
            let limit = match step {
                0 => machine.on_rejection(now, settings),
                1 => machine.on_error(now, latency, in_flight, settings),
                _ => machine.on_response(now, latency, in_flight, settings),
            };
            if let Some(limit) = limit.map(NonZeroU32::get) {
                // A measurement uses a part of the limit, which may be less than the minimum.
                let is_measuring = machine.measurement.is_some();
                prop_assert!(limit >= min || is_measuring, "limit {limit}, minimum {min}");
                prop_assert!(limit <= max.max(min), "limit {limit}, maximum {max}");
            }
            prop_assert!(machine.limit.is_finite());
        }
    }

}

proptest! {
    // Each case simulates more than 90 s of calls.
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn limit_keeps_upstream_busy_and_queue_short_in_brown_out(
        workers in 8_u32..100,
        service_time in 20_u64..300,
        remaining_percent in 20_u32..90,
    ) {
        let mut upstream = Upstream { workers, service_time: Duration::from_millis(service_time) };
        let mut simulation = Simulation::new(AdaptiveLimit::new().min(number(1)));
        let wanted = workers * 3 / 4;
        for _ in 0..30 {
            simulation.run_second(&upstream, wanted);
        }
        let limit = simulation.limit;
        prop_assert!(limit >= wanted, "limit {limit} for {wanted} calls before the brown-out");
        upstream.workers = (workers * remaining_percent / 100).max(2);
        // The limit shrinks once per latency, which includes the queue. With 100 calls for two
        // workers of 300 ms, the queue is short after 30 s.
        for _ in 0..60 {
            simulation.run_second(&upstream, 1_000);
        }
        simulation.end_measurement(&upstream, 1_000);
        let limit = simulation.limit;
        let latency = upstream.latency(limit);
        let Upstream { workers: remaining, service_time } = upstream;
        prop_assert!(limit >= remaining, "limit {limit} for {remaining} workers");
        prop_assert!(latency < service_time * 10, "latency {latency:?} with limit {limit}");
        upstream.workers = workers;
        for _ in 0..5 {
            simulation.run_second(&upstream, wanted);
        }
        let limit = simulation.limit;
        prop_assert!(limit >= wanted, "limit {limit} for {wanted} calls after the brown-out");
    }

    #[test]
    fn queue_at_minimum_does_not_become_baseline(
        workers in 1_u32..10,
        min in 1_u32..60,
        service_time in 20_u64..300,
    ) {
        let service_time = Duration::from_millis(service_time);
        let upstream = Upstream { workers, service_time };
        let mut simulation = Simulation::new(AdaptiveLimit::new().min(number(min)));
        for _ in 0..30 {
            simulation.run_second(&upstream, workers);
        }
        for _ in 0..90 {
            simulation.run_second(&upstream, 1_000);
        }
        let baseline = simulation.machine.baseline.unwrap().latency;
        let expected = 1.1 * service_time.as_secs_f64();
        prop_assert!(baseline < expected, "baseline {baseline} s, without a queue {service_time:?}");
    }

    #[test]
    fn measurements_cost_little_of_capacity_when_overload_is_long(
        workers in 1_u32..20,
        min in 1_u32..30,
        service_time in 20_u64..2_000,
    ) {
        let service_time = Duration::from_millis(service_time);
        let upstream = Upstream { workers, service_time };
        let mut simulation = Simulation::new(AdaptiveLimit::new().min(number(min)));
        for _ in 0..60 {
            simulation.run_second(&upstream, workers);
        }
        for _ in 0..60 {
            simulation.run_second(&upstream, 1_000);
        }
        let passed: u32 = (0..240).map(|_| simulation.run_second(&upstream, 1_000)).sum();
        let passed = f64::from(passed) / 240.0;
        let capacity = f64::from(workers) / service_time.as_secs_f64();
        prop_assert!(passed > 0.85 * capacity, "{passed} calls per second of {capacity}");
    }
}

#[test]
fn limit_does_not_shrink_when_upstream_itself_becomes_slower() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.run_second(&Upstream { workers: 1_000, service_time: 20 * MS }, 40);
    let slower = Upstream { workers: 1_000, service_time: 200 * MS };
    for _ in 0..20 {
        simulation.run_second(&slower, 400);
    }
    assert!(simulation.limit >= 400, "{}", simulation.limit);
}

#[test]
fn limit_ignores_fast_failures_and_shrinks_on_slow_ones() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.run_second(&Upstream { workers: 100, service_time: 20 * MS }, 90);
    let old_limit = simulation.limit;
    for latency in [MS, 35 * MS] {
        for _ in 0..1_000 {
            simulation.now += MS;
            assert!(
                simulation
                    .machine
                    .on_error(simulation.now, latency, old_limit, simulation.settings)
                    .is_none()
            );
        }
    }
    let updates = (0..2_000).filter_map(|_| {
        simulation.now += MS;
        simulation.machine.on_error(simulation.now, 1_000 * MS, old_limit, simulation.settings)
    });
    assert!(updates.last().unwrap().get() < old_limit);
}

#[test]
fn limit_does_not_grow_while_unused() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    for _ in 0..60 {
        simulation.run_second(&Upstream { workers: 100, service_time: 20 * MS }, 5);
    }
    assert_eq!(simulation.limit, 100);
}

#[test]
fn limit_changes_after_ten_responses() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    assert_eq!(simulation.send_responses(9, 1_000 * MS, MS, 100), None);
    assert!(simulation.send_responses(1, 1_000 * MS, MS, 100).is_some());
}

#[test]
fn limit_changes_after_50_ms() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    assert_eq!(simulation.send_responses(50, MS, MS, 100), None);
    assert!(simulation.send_responses(1, MS, MS, 100).is_some());
}

#[test]
fn limit_changes_once_per_mean_latency() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.measure(20 * MS, 40);
    assert_eq!(simulation.send_responses(100, 10 * MS, 1_000 * MS, 100), None);
    assert!(simulation.send_responses(1, 10 * MS, 1_000 * MS, 100).is_some());
}

#[test]
fn limit_shrinks_by_at_most_half() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.measure(MS, 40);
    let limit = simulation.measure_with_rejection(60_000 * MS, 100);
    assert!((50..100).contains(&limit), "{limit}");
}

#[test]
fn limit_shrinks_on_slow_responses_after_long_time_at_maximum() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    for _ in 0..1_000 {
        simulation.measure_with_rejection(20 * MS, simulation.limit);
    }
    assert_eq!(simulation.limit, 1_000);
    assert!(simulation.measure_with_rejection(1_000 * MS, 1_000) < 1_000);
}

#[test]
fn baseline_rises_within_a_minute_while_no_call_is_rejected() {
    for (seconds, has_risen) in [(5, false), (60, true)] {
        let mut simulation = Simulation::new(AdaptiveLimit::new());
        simulation.measure(20 * MS, 40);
        for _ in 0..seconds {
            simulation.run_second(&Upstream { workers: 40, service_time: 200 * MS }, 40);
        }
        let limit = simulation.measure_with_rejection(200 * MS, 100);
        assert_eq!(limit > 100, has_risen, "limit {limit} after {seconds} s");
    }
}

#[test]
fn rare_calls_change_baseline_only_slightly() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.measure(20 * MS, 5);
    simulation.send_responses(10, Duration::from_secs(360), 40 * MS, 1).unwrap();
    assert!(simulation.measure_with_rejection(400 * MS, 100) < 100);
}

#[test]
fn baseline_falls_while_calls_are_rejected() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.measure(200 * MS, 40);
    for _ in 0..20 {
        simulation.measure_with_rejection(20 * MS, simulation.limit);
    }
    let old_limit = simulation.limit;
    let limit = simulation.measure_with_rejection(100 * MS, old_limit);
    assert!(limit < old_limit, "limit {limit}, was {old_limit}");
}

#[test]
fn baseline_does_not_rise_to_latency_of_remaining_queue() {
    let mut simulation = Simulation::new(AdaptiveLimit::new());
    simulation.measure(20 * MS, 40);
    for in_flight in [100, 90, 80, 70] {
        simulation.measure(1_000 * MS, in_flight);
    }
    let old_limit = simulation.limit;
    let limit = simulation.measure_with_rejection(100 * MS, 60);
    assert!(limit < old_limit, "limit {limit}, was {old_limit}");
}
