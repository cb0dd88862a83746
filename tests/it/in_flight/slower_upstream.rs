//! Simulations of an adaptive limit in front of an upstream that becomes slower by itself, without
//! a queue, and of an overloaded one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Request, Response};
use seawall::{
    BoxError, find_source,
    in_flight::{AdaptiveLimit, InFlightLimitLayer, LimitReached},
};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, LocalSet},
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tower::{Layer, ServiceExt, service_fn};

use super::{Body, get};

const SECOND: Duration = Duration::from_secs(1);

/// An upstream whose latency can be set, behind an adaptive limit.
#[derive(Clone)]
struct Simulation {
    layer: InFlightLimitLayer,
    upstream: Arc<Upstream>,
}

struct Upstream {
    latency_ms: AtomicU64,
    /// Calls beyond the number of workers wait in a queue.
    workers: Semaphore,
    /// The number of calls per failure, which fails after five seconds. 0 disables.
    timeout_every: AtomicU32,
    calls: AtomicU32,
}

/// The calls of a phase of a simulation.
#[derive(Debug, Default)]
struct Phase {
    calls: u32,
    rejected: u32,
    /// The sum of the latencies of the other calls.
    latency: Duration,
    max_limit: u32,
}

impl Simulation {
    fn new(latency_ms: u64, workers: usize) -> Self {
        Self {
            layer: InFlightLimitLayer::adaptive(AdaptiveLimit::new()),
            upstream: Arc::new(Upstream {
                latency_ms: latency_ms.into(),
                workers: Semaphore::new(workers),
                timeout_every: 0.into(),
                calls: 0.into(),
            }),
        }
    }

    fn set_latency(&self, latency_ms: u64) {
        self.upstream.latency_ms.store(latency_ms, Relaxed);
    }

    /// Sends calls at a constant rate, whether earlier calls have ended or not.
    async fn run(&self, calls_per_second: u32, duration: Duration) -> Phase {
        LocalSet::new().run_until(self.send(calls_per_second, duration)).await
    }

    async fn send(&self, calls_per_second: u32, duration: Duration) -> Phase {
        let mut phase = Phase::default();
        let mut calls = JoinSet::new();
        let mut arrivals = interval(SECOND / calls_per_second);
        arrivals.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let end = Instant::now() + duration;
        while Instant::now() < end {
            arrivals.tick().await;
            calls.spawn_local(self.clone().call());
            phase.max_limit = phase.max_limit.max(self.layer.limit().get());
            while let Some(latency) = calls.try_join_next() {
                phase.record(latency.unwrap());
            }
        }
        while let Some(latency) = calls.join_next().await {
            phase.record(latency.unwrap());
        }
        phase
    }

    /// Returns the latency, or `None` if the call was rejected.
    async fn call(self) -> Option<Duration> {
        let started = Instant::now();
        let upstream = self.upstream;
        let service = self.layer.layer(service_fn(move |_: Request<Body>| {
            let upstream = Arc::clone(&upstream);
            async move { upstream.respond().await }
        }));
        match service.oneshot(get()).await {
            Err(error) if find_source::<LimitReached>(&*error).is_some() => None,
            _ => Some(started.elapsed()),
        }
    }
}

impl Upstream {
    async fn respond(&self) -> Result<Response<Body>, BoxError> {
        let _worker = self.workers.acquire().await?;
        let every = self.timeout_every.load(Relaxed);
        if self.calls.fetch_add(1, Relaxed).checked_rem(every) == Some(0) {
            sleep(5 * SECOND).await;
            return Err("no response".into());
        }
        sleep(Duration::from_millis(self.latency_ms.load(Relaxed))).await;
        Ok(Response::new(Body::default()))
    }
}

impl Phase {
    fn record(&mut self, latency: Option<Duration>) {
        self.calls += 1;
        match latency {
            Some(latency) => self.latency += latency,
            None => self.rejected += 1,
        }
    }

    fn passed(&self) -> u32 {
        self.calls - self.rejected
    }

    fn mean_latency(&self) -> Duration {
        self.latency / self.passed().max(1)
    }
}

/// A number of workers that no simulation exceeds.
const ENOUGH: usize = 1_000;

#[tokio::test(start_paused = true)]
async fn limit_recovers_within_minute_when_deploy_makes_responses_slower() {
    for (latency, slower) in [(100, 150), (100, 250), (100, 1_000), (50, 250)] {
        let simulation = Simulation::new(latency, ENOUGH);
        // The quiet hour: at most one call is in flight.
        simulation.run(5, 60 * SECOND).await;
        simulation.set_latency(slower);
        // 80 calls are in flight, within the initial limit.
        let rate = 80_000 / slower as u32;
        simulation.run(rate, 60 * SECOND).await;
        let later = simulation.run(rate, 10 * SECOND).await;
        assert_eq!(later.rejected, 0, "{latency} ms to {slower} ms: {later:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limit_follows_latency_when_days_are_slow_and_nights_quiet() {
    let simulation = Simulation::new(50, ENOUGH);
    for day in 0..2 {
        simulation.set_latency(50);
        simulation.run(5, 120 * SECOND).await;
        simulation.set_latency(200);
        simulation.run(300, 60 * SECOND).await;
        let later = simulation.run(300, 10 * SECOND).await;
        assert_eq!(later.rejected, 0, "day {day}: {later:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limit_recovers_when_cache_is_cold() {
    let simulation = Simulation::new(40, ENOUGH);
    simulation.run(20, 60 * SECOND).await;
    // The cache fills within two minutes.
    let mut rejected = Vec::new();
    for latency in (40..=400).rev().step_by(36) {
        simulation.set_latency(latency);
        rejected.push(simulation.run(300, 12 * SECOND).await.rejected);
    }
    assert!(rejected[5..].iter().all(|&rejected| rejected == 0), "{rejected:?}");
}

#[tokio::test(start_paused = true)]
async fn limit_recovers_when_some_calls_time_out() {
    let simulation = Simulation::new(20, ENOUGH);
    simulation.upstream.timeout_every.store(200, Relaxed);
    simulation.run(20, 60 * SECOND).await;
    simulation.set_latency(200);
    simulation.run(400, 60 * SECOND).await;
    let later = simulation.run(400, 10 * SECOND).await;
    assert!(later.rejected < later.calls / 20, "{later:?}");
}

#[tokio::test(start_paused = true)]
async fn queue_stays_short_when_overload_is_long() {
    for factor in [1, 3] {
        // Sixteen workers process 160 calls per second, or a third of that.
        let simulation = Simulation::new(100, 16);
        simulation.run(80, 30 * SECOND).await;
        simulation.set_latency(100 * factor);
        let capacity = 160 / factor as u32;
        simulation.run(2 * capacity, 60 * SECOND).await;
        for minute in 0..2 {
            let phase = simulation.run(2 * capacity, 60 * SECOND).await;
            let message = format!("{factor} times slower, minute {minute}: {phase:?}");
            assert!(phase.passed() > capacity * 60 * 9 / 10, "{message}");
            assert!(phase.mean_latency() < Duration::from_millis(300 * factor), "{message}");
            assert!(phase.max_limit < 5 * 16, "{message}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn queue_stays_short_when_minimum_of_limit_causes_it() {
    // Two workers process 20 calls per second. The minimum of ten calls is a queue of 500 ms.
    let simulation = Simulation::new(100, 2);
    simulation.run(10, 60 * SECOND).await;
    simulation.run(40, 60 * SECOND).await;
    for minute in 0..2 {
        let phase = simulation.run(40, 60 * SECOND).await;
        let message = format!("minute {minute}: {phase:?}");
        assert!(phase.mean_latency() < Duration::from_millis(600), "{message}");
        // The first calls after a measurement find no queue, so the limit rises for a moment.
        assert!(phase.max_limit < 15, "{message}");
        assert!(phase.passed() > 20 * 60 * 9 / 10, "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn queue_becomes_short_when_baseline_was_learned_in_overload() {
    let simulation = Simulation::new(100, 16);
    simulation.run(320, 60 * SECOND).await;
    let phase = simulation.run(320, 60 * SECOND).await;
    assert!(phase.mean_latency() < Duration::from_millis(300), "{phase:?}");
    assert!(phase.passed() > 160 * 60 * 9 / 10, "{phase:?}");
}

#[tokio::test(start_paused = true)]
async fn timeouts_do_not_raise_baseline_when_upstream_is_silent() {
    let simulation = Simulation::new(40, ENOUGH);
    simulation.run(200, 30 * SECOND).await;
    simulation.upstream.timeout_every.store(1, Relaxed);
    simulation.run(200, 90 * SECOND).await;
    assert_eq!(simulation.layer.limit().get(), 10);
    simulation.upstream.timeout_every.store(0, Relaxed);
    simulation.run(200, 10 * SECOND).await;
    let later = simulation.run(200, 10 * SECOND).await;
    assert_eq!(later.rejected, 0, "{later:?}");
}

#[tokio::test(start_paused = true)]
async fn measurement_ends_when_unread_bodies_hold_permits() {
    let simulation = Simulation::new(100, ENOUGH);
    simulation.run(5, 60 * SECOND).await;
    // More permits than a measurement leaves.
    let service = simulation.layer.layer(service_fn(async |_: Request<Body>| {
        Ok::<_, BoxError>(Response::new(Body::from("unread")))
    }));
    let mut unread = Vec::new();
    for _ in 0..10 {
        unread.push(service.clone().oneshot(get()).await.unwrap());
    }
    simulation.set_latency(250);
    simulation.run(200, 30 * SECOND).await;
    // The limit is about 25 calls, of which 10 do not end.
    let phase = simulation.run(200, 60 * SECOND).await;
    assert!(phase.passed() > 60 * 40, "{phase:?}");
}
