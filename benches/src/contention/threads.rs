//! One run: several threads call the same service concurrently.

use std::{
    fmt::Debug,
    hint::spin_loop,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    thread,
    time::Duration,
};

use core_affinity::CoreId;
use cpu_time::ThreadTime;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use tokio::time::Instant;
use tower::Service;

use super::Mode;
use crate::{cases::HttpRequest, runner, runtime};

/// The number of timed calls per thread. A short run usually ends before another process preempts
/// it.
const TIMED_CALLS: usize = 2_500;

/// The minimum number of calls before the timed calls.
const WARM_UP_CALLS: usize = 2_000;

/// The number of token rounds before the threads start.
const LAPS: usize = 50;

/// The maximum time between the starts of the first and the last thread.
const MAX_START_SKEW: Duration = Duration::from_micros(30);

/// The minimum ratio of CPU time to wall time of each thread.
const MIN_CPU_RATIO: f64 = 0.97;

/// The minimum ratio of CPU time to available core time of oversubscribed threads.
///
/// It is lower, because a core can become idle during the last calls.
const MIN_CPU_RATIO_OVERSUBSCRIBED: f64 = 0.9;

/// The arrangement of one run.
pub(super) struct Setup<'a> {
    pub(super) threads: usize,
    pub(super) mode: Mode,
    pub(super) cores: &'a [CoreId],
    /// The index of the first thread's core, modulo the number of cores.
    pub(super) first_core: usize,
}

/// The measurement of one thread.
struct Record {
    start: Instant,
    wall: Duration,
    cpu: Duration,
}

/// Returns the nanoseconds of a call, or `None` if the run does not count.
pub(super) fn run<S, B>(service: &S, keys: usize, setup: &Setup<'_>) -> Option<f64>
where
    S: Service<HttpRequest, Response = Response<B>, Error: Debug> + Clone + Send,
    B: Body,
{
    let start = StartGate::new(setup);
    let records: Vec<Record> = thread::scope(|scope| {
        let spawn = |thread| {
            let (service, start) = (service.clone(), &start);
            scope.spawn(move || {
                if let Some(core) = setup.core(thread) {
                    core_affinity::set_for_current(core);
                }
                record(service, keys, setup.mode, || start.wait(thread))
            })
        };
        let threads: Vec<_> = (0..setup.threads).map(spawn).collect();
        threads.into_iter().map(|it| it.join().expect("no thread panics")).collect()
    });
    let calls = (records.len() * TIMED_CALLS) as f64;
    let cpu: Duration = records.iter().map(|it| it.cpu).sum();
    if setup.is_oversubscribed() {
        let ratio = cpu.as_secs_f64() / setup.cores.len() as f64 / span(&records).as_secs_f64();
        return (ratio > MIN_CPU_RATIO_OVERSUBSCRIBED).then_some(cpu.as_nanos() as f64 / calls);
    }
    let wall: Duration = records.iter().map(|it| it.wall).sum();
    let is_counted = started_together(&records) && !records.iter().any(Record::is_preempted);
    is_counted.then_some(wall.as_nanos() as f64 / calls)
}

/// Returns the time from the first start to the last end.
fn span(records: &[Record]) -> Duration {
    let start = records.iter().map(|it| it.start).min();
    let end = records.iter().map(|it| it.start + it.wall).max();
    end.zip(start).map_or(Duration::ZERO, |(end, start)| end - start)
}

fn started_together(records: &[Record]) -> bool {
    let starts = || records.iter().map(|it| it.start);
    starts().max().zip(starts().min()).is_some_and(|(last, first)| last - first <= MAX_START_SKEW)
}

fn record<S, B>(mut service: S, keys: usize, mode: Mode, start: impl FnOnce()) -> Record
where
    S: Service<HttpRequest, Response = Response<B>, Error: Debug> + Clone,
    B: Body,
{
    // Each thread has its own URIs, because clones of a URI share a reference count.
    let uri = |key| format!("http://h{key}/").parse().expect("the URI is valid");
    let uris: Vec<Uri> = (0..keys).map(uri).collect();
    runtime::enter(|| {
        let mut uris = uris.iter().cycle();
        drive(&mut service, mode, uris.by_ref().take(keys.max(WARM_UP_CALLS)));
        start();
        let started = Instant::now();
        let cpu = ThreadTime::now();
        drive(&mut service, mode, uris.take(TIMED_CALLS));
        Record { start: started, cpu: cpu.elapsed(), wall: started.elapsed() }
    })
}

/// Calls the service once per URI. The time of all rows includes building the requests.
fn drive<'a, S, B>(service: &mut S, mode: Mode, uris: impl Iterator<Item = &'a Uri>)
where
    S: Service<HttpRequest, Response = Response<B>, Error: Debug> + Clone,
    B: Body,
{
    let mut cx = Context::from_waker(Waker::noop());
    for uri in uris {
        let mut request = Request::new(Full::default());
        request.uri_mut().clone_from(uri);
        match mode {
            Mode::Own => runner::call(service, request, &mut cx),
            Mode::Cloned => runner::call(&mut service.clone(), request, &mut cx),
        }
    }
}

impl Setup<'_> {
    fn core(&self, thread: usize) -> Option<CoreId> {
        let cores = self.cores.len().max(1);
        self.cores.get((self.first_core + thread) % cores).copied()
    }

    fn is_oversubscribed(&self) -> bool {
        self.threads > self.cores.len()
    }
}

impl Record {
    fn is_preempted(&self) -> bool {
        self.cpu.as_secs_f64() < MIN_CPU_RATIO * self.wall.as_secs_f64()
    }
}

/// A gate that starts all threads together.
///
/// The threads pass a token around, which proves that all of them are running.
struct StartGate {
    threads: usize,
    is_oversubscribed: bool,
    barrier: Barrier,
    /// The number of times the token has been passed.
    token: AtomicUsize,
}

impl StartGate {
    fn new(setup: &Setup<'_>) -> Self {
        Self {
            threads: setup.threads,
            is_oversubscribed: setup.is_oversubscribed(),
            barrier: Barrier::new(setup.threads),
            token: AtomicUsize::new(0),
        }
    }

    fn wait(&self, thread: usize) {
        // Blocks instead of spinning, so that threads that are not ready yet get the cores.
        self.barrier.wait();
        for lap in 0..LAPS {
            self.wait_for_token(lap * self.threads + thread);
            self.token.fetch_add(1, Ordering::AcqRel);
        }
        self.wait_for_token(LAPS * self.threads);
    }

    fn wait_for_token(&self, passes: usize) {
        while self.token.load(Ordering::Acquire) < passes {
            if self.is_oversubscribed {
                thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}
