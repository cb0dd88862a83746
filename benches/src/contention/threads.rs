//! One run: threads that call the same service at once.

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
use crate::{rows::Sent, runner, runtime};

/// Calls of each thread that are timed. Few, so that most runs end before another process wants the core.
const CALLS: usize = 2_500;

/// Calls before them, at least.
const WARM_UP: usize = 2_000;

/// Times that the token goes around all threads before they begin.
const LAPS: usize = 50;

/// Longest time between the first thread's begin and the last one's.
const MAX_LAG: Duration = Duration::from_micros(30);

/// Least share of the time that each thread has to run.
const MIN_SHARE: f64 = 0.97;

/// Least share of the time that more threads than cores have to keep the cores busy. Lower, since their last calls may leave a
/// core to itself.
const MIN_SHARE_OVERSUBSCRIBED: f64 = 0.9;

/// The arrangement of one run.
pub(super) struct Setup<'a> {
    pub(super) threads: usize,
    pub(super) mode: Mode,
    pub(super) cores: &'a [CoreId],
    /// Index of the first thread's core, modulo their number.
    pub(super) first_core: usize,
}

/// Record of one thread.
struct Record {
    begin: Instant,
    wall: Duration,
    cpu: Duration,
}

/// Returns the nanoseconds of a call, or `None` if the run does not count.
pub(super) fn run<S, B>(service: &S, keys: usize, setup: &Setup<'_>) -> Option<f64>
where
    S: Service<Sent, Response = Response<B>, Error: Debug> + Clone + Send,
    B: Body,
{
    let start = Start::new(setup);
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
        threads.into_iter().map(|it| it.join().expect("nothing here panics")).collect()
    });
    let calls = (records.len() * CALLS) as f64;
    let cpu: Duration = records.iter().map(|it| it.cpu).sum();
    if setup.is_oversubscribed() {
        let share = cpu.as_secs_f64() / setup.cores.len() as f64 / span(&records).as_secs_f64();
        return (share > MIN_SHARE_OVERSUBSCRIBED).then_some(cpu.as_nanos() as f64 / calls);
    }
    let wall: Duration = records.iter().map(|it| it.wall).sum();
    let counts = began_together(&records) && !records.iter().any(Record::is_preempted);
    counts.then_some(wall.as_nanos() as f64 / calls)
}

/// Returns the time from the first begin to the last end.
fn span(records: &[Record]) -> Duration {
    let begin = records.iter().map(|it| it.begin).min();
    let end = records.iter().map(|it| it.begin + it.wall).max();
    end.zip(begin).map_or(Duration::ZERO, |(end, begin)| end - begin)
}

fn began_together(records: &[Record]) -> bool {
    let begins = || records.iter().map(|it| it.begin);
    begins().max().zip(begins().min()).is_some_and(|(last, first)| last - first <= MAX_LAG)
}

fn record<S, B>(mut service: S, keys: usize, mode: Mode, start: impl FnOnce()) -> Record
where
    S: Service<Sent, Response = Response<B>, Error: Debug> + Clone,
    B: Body,
{
    // Each thread has URIs of its own: clones of one share a count.
    let uri = |key| format!("http://h{key}/").parse().expect("a URI");
    let uris: Vec<Uri> = (0..keys).map(uri).collect();
    runtime::enter(|| {
        let mut uris = uris.iter().cycle();
        drive(&mut service, mode, uris.by_ref().take(keys.max(WARM_UP)));
        start();
        let begin = Instant::now();
        let cpu = ThreadTime::now();
        drive(&mut service, mode, uris.take(CALLS));
        Record { begin, cpu: cpu.elapsed(), wall: begin.elapsed() }
    })
}

/// Calls the service once for each URI. Requests are built here, which is part of all rows.
fn drive<'a, S, B>(service: &mut S, mode: Mode, uris: impl Iterator<Item = &'a Uri>)
where
    S: Service<Sent, Response = Response<B>, Error: Debug> + Clone,
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
        self.cpu.as_secs_f64() < MIN_SHARE * self.wall.as_secs_f64()
    }
}

/// Makes threads begin together: a token that they hand around shows that all of them run.
struct Start {
    threads: usize,
    is_oversubscribed: bool,
    barrier: Barrier,
    /// Times that the token was handed on.
    token: AtomicUsize,
}

impl Start {
    fn new(setup: &Setup<'_>) -> Self {
        Self {
            threads: setup.threads,
            is_oversubscribed: setup.is_oversubscribed(),
            barrier: Barrier::new(setup.threads),
            token: AtomicUsize::new(0),
        }
    }

    fn wait(&self, thread: usize) {
        // Leaves the cores to the threads that are not as far yet.
        self.barrier.wait();
        for lap in 0..LAPS {
            self.wait_for(lap * self.threads + thread);
            self.token.fetch_add(1, Ordering::AcqRel);
        }
        self.wait_for(LAPS * self.threads);
    }

    fn wait_for(&self, handovers: usize) {
        while self.token.load(Ordering::Acquire) < handovers {
            if self.is_oversubscribed {
                thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}
