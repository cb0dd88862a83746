//! One storm: callers on one side, the upstream on the other, a stack between them, and a clock that is moved as soon as all
//! of them wait.

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
    scenario::{LENGTH, RATE, Scenario},
    stack::{Body, Client, Stack},
    upstream::{Caller, Sight, Upstream},
};

/// What comes after the last call, so that it too can end.
const TAIL: u64 = 15;

/// What became of all calls.
#[derive(Debug)]
pub(crate) struct Storm {
    pub(crate) calls: Vec<Call>,
    pub(crate) sight: Sight,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Since the storm began.
    pub(crate) began: Duration,
    /// `None`: it waits to this day.
    pub(crate) end: Option<End>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) took: Duration,
    pub(crate) answered: bool,
}

/// On a thread of its own, since much of what is drawn by chance is drawn from that of the thread.
pub(crate) fn storm(
    scenario: &'static Scenario,
    stack: &Stack,
    seed: u64,
    each_second: impl Fn() + Send,
) -> Storm {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            fastrand::seed(seed);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("it opens nothing");
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
) -> Storm {
    let started = Instant::now();
    let upstream = Upstream::new(scenario, (LENGTH + TAIL) as usize, seed ^ 1);
    let client = stack.client(upstream.clone());
    let calls = Calls::default();
    let mut random = StdRng::seed_from_u64(seed);
    let gap = Exp::new(RATE).expect("above zero");
    let (mut next, mut second) = (0.0, 0);
    loop {
        next += gap.sample(&mut random);
        // Whole milliseconds: the clock of tokio has no others.
        let began = Duration::from_millis((next * 1e3) as u64);
        if began >= Duration::from_secs(LENGTH) {
            break;
        }
        if began.as_secs() > second {
            second = began.as_secs();
            each_second();
        }
        if scenario.is_busy(began) {
            tokio::time::sleep_until(started + began).await;
            begin(&client, &calls, began);
        }
    }
    tokio::time::sleep_until(started + Duration::from_secs(LENGTH + TAIL)).await;
    let calls = std::mem::take(&mut *lock(&calls));
    Storm { calls, sight: upstream.sight() }
}

fn lock(calls: &Calls) -> std::sync::MutexGuard<'_, Vec<Call>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begin(client: &Client, calls: &Calls, began: Duration) {
    let number = {
        let mut calls = lock(calls);
        calls.push(Call { began, end: None });
        calls.len() - 1
    };
    let request = Request::get("http://upstream/")
        .extension(Caller(number))
        .body(Body::default())
        .expect("a request");
    let (client, calls) = (client.clone(), Arc::clone(calls));
    let since = Instant::now();
    tokio::spawn(async move {
        let outcome = client.oneshot(request).await;
        let answered = outcome.is_ok_and(|status| status == StatusCode::OK);
        if let Some(call) = lock(&calls).get_mut(number) {
            call.end = Some(End { took: since.elapsed(), answered });
        }
    });
}
