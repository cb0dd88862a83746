//! What a server has of capacity: so many requests are worked on at once, the others wait in a row.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

/// A row of requests in front of as many workers as there are, first come, first served.
///
/// What has been put in is worked on even if nobody waits for it any more: a server learns of that when it answers, if at
/// all.
#[derive(Debug)]
pub(crate) struct Queue {
    workers: usize,
    busy: usize,
    room: usize,
    waiting: VecDeque<Job>,
    pub(super) served: Vec<u32>,
    pub(super) abandoned: u64,
}

#[derive(Debug)]
struct Job {
    takes: Duration,
    done: oneshot::Sender<()>,
}

impl Queue {
    pub(super) fn new(workers: usize, room: usize, seconds: usize) -> Self {
        let (waiting, served) = (VecDeque::new(), vec![0; seconds]);
        Self { workers, busy: 0, room, waiting, served, abandoned: 0 }
    }
}

pub(super) type Shared = Arc<Mutex<Queue>>;

pub(super) fn lock(queue: &Shared) -> std::sync::MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `None`: there is no more room.
pub(super) fn put(
    queue: &Shared,
    workers: usize,
    takes: Duration,
    second: impl Fn() -> usize + Copy + Send + 'static,
) -> Option<oneshot::Receiver<()>> {
    let mut all = lock(queue);
    all.workers = workers;
    if all.waiting.len() >= all.room {
        return None;
    }
    let (done, answer) = oneshot::channel();
    all.waiting.push_back(Job { takes, done });
    begin(queue, &mut all, second);
    Some(answer)
}

/// Gives work to whoever is idle.
fn begin(queue: &Shared, all: &mut Queue, second: impl Fn() -> usize + Copy + Send + 'static) {
    while all.busy < all.workers {
        let Some(job) = all.waiting.pop_front() else { return };
        all.busy += 1;
        let queue = Arc::clone(queue);
        tokio::spawn(async move {
            tokio::time::sleep(job.takes).await;
            let mut all = lock(&queue);
            all.busy -= 1;
            if let Some(served) = all.served.get_mut(second()) {
                *served += 1;
            }
            all.abandoned += u64::from(job.done.send(()).is_err());
            begin(&queue, &mut all, second);
        });
    }
}
