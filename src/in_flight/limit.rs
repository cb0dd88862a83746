use std::{
    error::Error,
    fmt,
    num::{NonZeroU32, NonZeroU64},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::adaptive::{Adaptive, Machine};
use crate::{
    body::Watch,
    keys::Keep,
    sharded::Sharded,
    sync::{AtomicU32, Mutex, MutexGuard, Ordering, lock},
};

/// How many calls may be under way at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    Fixed(NonZeroU32),
    Adaptive(Adaptive),
}

/// How many calls are under way, and how many may be.
#[derive(Debug)]
pub struct Limit {
    pub(super) key: Option<Arc<str>>,
    most: AtomicU32,
    taken: AtomicU32,
    learned: Option<Learned>,
}

/// What the limit is found by, if it is not given.
#[derive(Debug)]
struct Learned {
    settings: Adaptive,
    /// Times are counted from here.
    origin: Instant,
    machine: Mutex<Machine>,
}

/// The place of a call under way, given back when it is dropped.
pub struct Place {
    /// `None` once it is given back, and for a call without a limit.
    limit: Option<Sharded<Limit>>,
    /// Nanoseconds, as the limit counts them, and one more; `None` if time does not matter.
    began: Option<NonZeroU64>,
}

impl Limit {
    pub(super) fn new(key: Option<Arc<str>>, size: Size) -> Self {
        let (most, learned) = match size {
            Size::Fixed(most) => (most, None),
            Size::Adaptive(settings) => {
                let machine = Mutex::new(Machine::new(settings));
                let learned = Learned { settings, origin: Instant::now(), machine };
                (settings.first(), Some(learned))
            }
        };
        Self { key, most: AtomicU32::new(most.get()), taken: AtomicU32::new(0), learned }
    }

    pub(super) fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn most(&self) -> NonZeroU32 {
        NonZeroU32::new(self.most.load(Ordering::Relaxed)).unwrap_or(NonZeroU32::MIN)
    }

    /// The call that began then has an answer.
    #[cold]
    fn learn(&self, began: NonZeroU64, failed: bool) {
        let Some(learned) = &self.learned else { return };
        let now = learned.now();
        let took = now.saturating_sub(Duration::from_nanos(began.get() - 1));
        let (in_flight, settings) = (self.taken(), learned.settings);
        let mut machine = learned.machine();
        let limit = if failed {
            machine.failed(now, took, in_flight, settings)
        } else {
            machine.took(now, took, in_flight, settings)
        };
        // Under the lock, so that an older one does not come after.
        if let Some(limit) = limit {
            self.most.store(limit.get(), Ordering::Relaxed);
        }
        drop(machine);
        if limit.is_some() {
            crate::metrics::in_flight_limit(self.key.as_ref(), self.most());
        }
    }
}

impl Learned {
    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.origin)
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }
}

impl Place {
    /// Gives `limit` back, if there is none.
    #[inline]
    pub(super) fn take(limit: Sharded<Limit>) -> Result<Self, Sharded<Limit>> {
        let most = limit.most().get();
        let one_more = |taken| (taken < most).then_some(taken + 1);
        let taken = limit.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        match (taken, &limit.learned) {
            (Ok(_), None) => Ok(Self { limit: Some(limit), began: None }),
            (Ok(_), Some(learned)) => {
                let began = u64::try_from(learned.now().as_nanos()).unwrap_or(u64::MAX);
                let began = NonZeroU64::MIN.saturating_add(began);
                Ok(Self { limit: Some(limit), began: Some(began) })
            }
            (Err(_), learned) => {
                if let Some(learned) = learned {
                    learned.machine().refused();
                }
                Err(limit)
            }
        }
    }

    /// The response is there, or will not come.
    #[inline]
    pub(crate) fn answered(&mut self, failed: bool) {
        if let (Some(limit), Some(began)) = (&self.limit, self.began.take()) {
            limit.learn(began, failed);
        }
    }

    #[inline]
    fn give_back(&mut self) {
        if let Some(limit) = self.limit.take() {
            limit.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Watch for Place {
    #[inline]
    fn complete(mut self) {
        self.give_back();
    }

    fn fail(mut self, _error: &(dyn Error + 'static)) {
        self.give_back();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Keep for Limit {
    fn is_clean(&self, _now: Instant) -> bool {
        self.taken() == 0
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.limit.is_some()).finish()
    }
}
