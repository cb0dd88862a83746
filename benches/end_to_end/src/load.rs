//! Concurrent tasks that share a number of calls.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

/// A function that makes a number of calls, with a number of them in flight.
pub(crate) type LoadGenerator = Box<dyn Fn(usize, usize) -> Pin<Box<dyn Future<Output = Batch>>>>;

pub(crate) struct Batch {
    /// The time from the start of the first call to the end of the last one.
    pub(crate) elapsed: Duration,
    pub(crate) latencies: Vec<Duration>,
}

/// A task that shares the remaining calls with other tasks and records its latencies.
pub(crate) struct Worker {
    remaining: Arc<AtomicUsize>,
    started: Instant,
    latencies: Vec<Duration>,
}

impl Worker {
    /// Starts a call. Returns false if none remains.
    pub(crate) fn start_call(&mut self) -> bool {
        self.started = Instant::now();
        self.remaining.fetch_update(Relaxed, Relaxed, |remaining| remaining.checked_sub(1)).is_ok()
    }

    pub(crate) fn end_call(&mut self) {
        self.latencies.push(self.started.elapsed());
    }
}

/// Creates a load generator whose tasks run `work`.
///
/// `work` makes calls until none remains and then returns its worker.
pub(crate) fn load_generator<F>(work: impl Fn(Worker) -> F + 'static) -> LoadGenerator
where
    F: Future<Output = Worker> + Send + 'static,
{
    let work = Arc::new(work);
    Box::new(move |calls, in_flight| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let remaining = Arc::new(AtomicUsize::new(calls));
            let started = Instant::now();
            let worker = || Worker {
                remaining: Arc::clone(&remaining),
                started,
                latencies: Vec::with_capacity(calls),
            };
            let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(work(worker()))).collect();
            let mut latencies = Vec::with_capacity(calls);
            for task in tasks {
                latencies.append(&mut task.await.expect("every call succeeds").latencies);
            }
            assert_eq!(latencies.len(), calls);
            Batch { elapsed: started.elapsed(), latencies }
        })
    })
}
