//! One simulation: callers, a stack, the upstream, and a clock that advances while all of them
//! wait.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{Request, StatusCode};
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Exp};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::{
    scenario::{CALLS_PER_SEC, DURATION_SECS, Scenario},
    stack::{Body, Client, Stack},
    upstream::{CallId, Upstream, UpstreamStats},
};

/// The time after the last call starts, in which calls can complete.
const DRAIN_SECS: u64 = 15;

/// The calls of a simulation, and the requests that the upstream received.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) calls: Vec<Call>,
    pub(crate) stats: UpstreamStats,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The time since the start of the simulation.
    pub(crate) start: Duration,
    /// `None` if the call did not complete.
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) duration: Duration,
    /// Whether the response was 200.
    pub(crate) is_ok: bool,
}

/// Simulates on a separate thread, because several stacks use a thread-local random number
/// generator.
pub(crate) fn simulate(
    scenario: &'static Scenario,
    stack: &Stack,
    seed: u64,
    each_second: impl Fn() + Send,
) -> Run {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            fastrand::seed(seed);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("no I/O driver");
            runtime.block_on(drive(scenario, stack, seed, each_second))
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

type Calls = Arc<Mutex<Vec<Call>>>;

async fn drive(
    scenario: &'static Scenario,
    stack: &Stack,
    seed: u64,
    each_second: impl Fn(),
) -> Run {
    let started = Instant::now();
    let upstream = Upstream::new(scenario, (DURATION_SECS + DRAIN_SECS) as usize, seed ^ 1);
    let client = stack.client(upstream.clone());
    let calls = Calls::default();
    let mut rng = StdRng::seed_from_u64(seed);
    let interval = Exp::new(CALLS_PER_SEC).expect("above zero");
    let (mut next_start, mut second) = (0.0, 0);
    loop {
        next_start += interval.sample(&mut rng);
        // tokio's clock has a resolution of one millisecond.
        let start = Duration::from_millis((next_start * 1e3) as u64);
        if start >= Duration::from_secs(DURATION_SECS) {
            break;
        }
        if start.as_secs() > second {
            second = start.as_secs();
            each_second();
        }
        if scenario.is_sending(start) {
            tokio::time::sleep_until(started + start).await;
            spawn_call(&client, &calls, start);
        }
    }
    tokio::time::sleep_until(started + Duration::from_secs(DURATION_SECS + DRAIN_SECS)).await;
    let calls = std::mem::take(&mut *lock(&calls));
    Run { calls, stats: upstream.stats() }
}

fn lock(calls: &Calls) -> std::sync::MutexGuard<'_, Vec<Call>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn_call(client: &Client, calls: &Calls, start: Duration) {
    let id = {
        let mut calls = lock(calls);
        calls.push(Call { start, outcome: None });
        calls.len() - 1
    };
    let request = Request::get("http://upstream/")
        .extension(CallId(id))
        .body(Body::default())
        .expect("a request");
    let (client, calls) = (client.clone(), Arc::clone(calls));
    let sent = Instant::now();
    tokio::spawn(async move {
        let outcome = client.oneshot(request).await;
        let is_ok = outcome.is_ok_and(|status| status == StatusCode::OK);
        if let Some(call) = lock(&calls).get_mut(id) {
            call.outcome = Some(Outcome { duration: sent.elapsed(), is_ok });
        }
    });
}
