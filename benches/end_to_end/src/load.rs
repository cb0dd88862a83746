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

/// Makes a number of calls, with a number of them in flight.
pub(crate) type LoadGenerator = Box<dyn Fn(usize, usize) -> Pin<Box<dyn Future<Output = Batch>>>>;

pub(crate) struct Batch {
    /// From the start of the first call to the end of the last one.
    pub(crate) elapsed: Duration,
    pub(crate) latencies: Vec<Duration>,
}

/// One of the tasks that share the remaining calls, and its own latencies.
pub(crate) struct Worker {
    remaining: Arc<AtomicUsize>,
    started: Instant,
    latencies: Vec<Duration>,
}

impl Worker {
    /// Starts a call; returns false if none remains.
    pub(crate) fn start_call(&mut self) -> bool {
        self.started = Instant::now();
        self.remaining.fetch_update(Relaxed, Relaxed, |remaining| remaining.checked_sub(1)).is_ok()
    }

    pub(crate) fn end_call(&mut self) {
        self.latencies.push(self.started.elapsed());
    }
}

/// Creates a load generator whose tasks run `work`, which calls until none remains and returns its worker.
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
