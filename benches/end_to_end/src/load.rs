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

/// What makes so many calls, of which so many are under way at once.
pub(crate) type Calls = Box<dyn Fn(usize, usize) -> Pin<Box<dyn Future<Output = Batch>>>>;

pub(crate) struct Batch {
    /// From the first call's begin to the last one's end.
    pub(crate) elapsed: Duration,
    pub(crate) took: Vec<Duration>,
}

/// One of the tasks that share a number of calls: how many are left to be made, and how long its own took.
pub(crate) struct Turns {
    left: Arc<AtomicUsize>,
    began: Instant,
    took: Vec<Duration>,
}

impl Turns {
    /// Whether there is another call to be made.
    pub(crate) fn begin(&mut self) -> bool {
        self.began = Instant::now();
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    pub(crate) fn end(&mut self) {
        self.took.push(self.began.elapsed());
    }
}

/// A task is what `work` makes: it calls until it has no more turns, and gives them back.
pub(crate) fn calls<F>(work: impl Fn(Turns) -> F + 'static) -> Calls
where
    F: Future<Output = Turns> + Send + 'static,
{
    let work = Arc::new(work);
    Box::new(move |calls, in_flight| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let left = Arc::new(AtomicUsize::new(calls));
            let began = Instant::now();
            let turns =
                || Turns { left: Arc::clone(&left), began, took: Vec::with_capacity(calls) };
            let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(work(turns()))).collect();
            let mut took = Vec::with_capacity(calls);
            for task in tasks {
                took.append(&mut task.await.expect("every call is answered").took);
            }
            assert_eq!(took.len(), calls);
            Batch { elapsed: began.elapsed(), took }
        })
    })
}
