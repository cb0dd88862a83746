//! The upstream's workers, and the queue of requests for them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

/// A first-in, first-out queue of requests for the workers.
///
/// Workers also serve requests whose caller has gone, because a server notices this only when it
/// responds.
#[derive(Debug)]
pub(crate) struct Queue {
    workers: usize,
    busy_workers: usize,
    capacity: usize,
    waiting: VecDeque<Job>,
    pub(super) served: Vec<u32>,
    pub(super) abandoned: u64,
}

#[derive(Debug)]
struct Job {
    service_time: Duration,
    done: oneshot::Sender<()>,
}

impl Queue {
    pub(super) fn new(workers: usize, capacity: usize, seconds: usize) -> Self {
        let (waiting, served) = (VecDeque::new(), vec![0; seconds]);
        Self { workers, busy_workers: 0, capacity, waiting, served, abandoned: 0 }
    }
}

pub(super) type SharedQueue = Arc<Mutex<Queue>>;

pub(super) fn lock(queue: &SharedQueue) -> std::sync::MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Queues a request. Returns `None` if the queue is full.
pub(super) fn push(
    queue: &SharedQueue,
    workers: usize,
    service_time: Duration,
    current_second: impl Fn() -> usize + Copy + Send + 'static,
) -> Option<oneshot::Receiver<()>> {
    let mut locked = lock(queue);
    locked.workers = workers;
    if locked.waiting.len() >= locked.capacity {
        return None;
    }
    let (done, response) = oneshot::channel();
    locked.waiting.push_back(Job { service_time, done });
    start_jobs(queue, &mut locked, current_second);
    Some(response)
}

/// Starts queued jobs while workers are idle.
fn start_jobs(
    queue: &SharedQueue,
    locked: &mut Queue,
    current_second: impl Fn() -> usize + Copy + Send + 'static,
) {
    while locked.busy_workers < locked.workers {
        let Some(job) = locked.waiting.pop_front() else { return };
        locked.busy_workers += 1;
        let queue = Arc::clone(queue);
        tokio::spawn(async move {
            tokio::time::sleep(job.service_time).await;
            let mut locked = lock(&queue);
            locked.busy_workers -= 1;
            if let Some(served) = locked.served.get_mut(current_second()) {
                *served += 1;
            }
            locked.abandoned += u64::from(job.done.send(()).is_err());
            start_jobs(&queue, &mut locked, current_second);
        });
    }
}
