use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::Keep;

/// How many keys are kept. More share nothing: see [`Store::get`].
pub(crate) const KEYS_MAX: usize = 4_096;

/// How long a key may be that is kept, in bytes: four times as long as a name of a host can be.
const KEY_LONGEST: usize = 1_024;

/// So many that threads seldom meet in one.
const SHARDS: usize = 16;

/// How often keys that can go are looked for at the most, so that a flood of keys does not cost a search each.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A `T` for each key, at most [`KEYS_MAX`].
pub(crate) struct Store<T> {
    shards: [RwLock<Shard<T>>; SHARDS],
    len: AtomicUsize,
    /// Keyed by chance, so that nobody can make keys that meet.
    hasher: RandomState,
    /// When keys that can go were last looked for.
    swept: Mutex<Option<Instant>>,
}

/// By the hash of the key, so that it is hashed once.
type Shard<T> = HashMap<u64, Kept<T>, BuildHasherDefault<Hashed>>;

struct Kept<T> {
    key: Arc<str>,
    value: Arc<T>,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            shards: Default::default(),
            len: AtomicUsize::new(0),
            hasher: RandomState::new(),
            swept: Mutex::default(),
        }
    }
}

impl<T: Keep> Store<T> {
    /// The one for `key`, made if there is none. `None` if there are too many, and none of them can go, or it is too long.
    pub(crate) fn get(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<Arc<T>> {
        let hash = self.hash(key);
        self.find_hashed(hash, key).or_else(|| self.add(hash, key, now, make))
    }

    /// Apart from the search, which is most of the work there is.
    #[cold]
    fn add(
        &self,
        hash: u64,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<Arc<T>> {
        if key.len() > KEY_LONGEST {
            return None;
        }
        if !self.has_room(now) {
            // Another thread may have taken the last place for this very key.
            return self.find_hashed(hash, key);
        }
        let mut shard = self.shard(hash).write().unwrap_or_else(PoisonError::into_inner);
        let vacant = match shard.entry(hash) {
            Entry::Occupied(kept) => return kept.get().of(key),
            Entry::Vacant(vacant) => vacant,
        };
        // Counted before it is there, so that many at once do not pass the bound.
        let more = |len| (len < KEYS_MAX).then_some(len + 1);
        self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let key: Arc<str> = key.into();
        let value = Arc::new(make(Arc::clone(&key)));
        vacant.insert(Kept { key, value: Arc::clone(&value) });
        Some(value)
    }

    /// Makes room, if there is none: what is clean and in nobody's hands goes. No lock is held while another is taken.
    fn has_room(&self, now: impl FnOnce() -> Instant) -> bool {
        if self.len.load(Ordering::Relaxed) < KEYS_MAX {
            return true;
        }
        let now = now();
        if !self.is_due(now) {
            return false;
        }
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let forgotten = sweep(&mut shard, now);
            drop(shard);
            self.len.fetch_sub(forgotten.len(), Ordering::Relaxed);
            forgotten.into_iter().for_each(Keep::forgotten);
        }
        self.len.load(Ordering::Relaxed) < KEYS_MAX
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_EVERY);
        if due {
            *swept = Some(now);
        }
        due
    }
}

impl<T> Store<T> {
    /// The one for `key`, if there is one.
    #[cfg(any(test, feature = "circuit-breaker"))]
    pub(crate) fn find(&self, key: &str) -> Option<Arc<T>> {
        self.find_hashed(self.hash(key), key)
    }

    #[inline]
    fn find_hashed(&self, hash: u64, key: &str) -> Option<Arc<T>> {
        let shard = self.shard(hash).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&hash)?.of(key)
    }

    #[inline]
    fn shard(&self, hash: u64) -> &RwLock<Shard<T>> {
        // By bits of which a map of this size takes no notice.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    #[inline]
    fn hash(&self, key: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key.as_bytes());
        hasher.finish()
    }

    /// All there are, in no order.
    #[cfg(any(test, feature = "circuit-breaker"))]
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        let kept = |shard: &RwLock<Shard<T>>| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.values().map(|kept| Arc::clone(&kept.value)).collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(kept).collect()
    }
}

impl<T> Kept<T> {
    /// `None`: another key has the same hash, by a chance of one to 2^40 among as many keys as are kept. Its place is taken
    /// then, as if there were too many.
    #[inline]
    fn of(&self, key: &str) -> Option<Arc<T>> {
        (*self.key == *key).then(|| Arc::clone(&self.value))
    }
}

/// Takes out what is clean, unless somebody has it.
fn sweep<T: Keep>(shard: &mut Shard<T>, now: Instant) -> Vec<T> {
    let can_go = |value: &Arc<T>| Arc::strong_count(value) == 1 && value.is_clean(now);
    let leaving: Vec<_> = shard.extract_if(|_, kept| can_go(&kept.value)).collect();
    let mut forgotten = Vec::new();
    for (hash, Kept { key, value }) in leaving {
        // Who remembers it may have used it meanwhile, or be about to; from here on nobody can.
        let value = match Arc::try_unwrap(value) {
            Ok(value) if value.is_clean(now) => {
                forgotten.push(value);
                continue;
            }
            Ok(value) => Arc::new(value),
            Err(value) => value,
        };
        shard.insert(hash, Kept { key, value });
    }
    forgotten
}

/// What is hashed already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        unreachable!("{bytes:?} is no hash")
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(AtomicUsize);

    impl Keep for Kept {
        fn is_clean(&self, _now: Instant) -> bool {
            self.0.load(Ordering::Relaxed) == 0
        }
    }

    fn get(store: &Store<Kept>, key: &str, now: Instant) -> Option<Arc<Kept>> {
        store.get(key, || now, |_| Kept(AtomicUsize::new(0)))
    }

    #[test]
    fn what_is_in_use_or_not_clean_stays_and_the_rest_makes_room() {
        let (store, now) = (Store::default(), Instant::now());
        let held = get(&store, "held", now).unwrap();
        get(&store, "dirty", now).unwrap().0.store(1, Ordering::Relaxed);
        for number in 0..KEYS_MAX - 2 {
            get(&store, &number.to_string(), now).unwrap();
        }
        assert_eq!(store.all().len(), KEYS_MAX);
        assert!(get(&store, "one more", now).is_some());
        assert_eq!(store.all().len(), 3);
        assert!(Arc::ptr_eq(&held, &store.find("held").unwrap()));
        assert_eq!(store.find("dirty").unwrap().0.load(Ordering::Relaxed), 1);
        assert!(store.find("7").is_none());
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_searched_for_room_once_a_second() {
        let (store, now) = (Store::default(), Instant::now());
        for number in 0..100_000 {
            if let Some(kept) = get(&store, &number.to_string(), now) {
                kept.0.store(1, Ordering::Relaxed);
            }
        }
        assert_eq!(store.all().len(), KEYS_MAX);
        for kept in store.all() {
            kept.0.store(0, Ordering::Relaxed);
        }
        assert!(get(&store, "new", now + Duration::from_millis(999)).is_none());
        assert!(get(&store, "new", now + Duration::from_secs(1)).is_some());
        assert_eq!(store.all().len(), 1);
    }

    #[test]
    fn many_threads_get_the_same_one_and_do_not_pass_the_bound() {
        let (store, now) = (Store::default(), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..KEYS_MAX + 100 {
                        if let Some(kept) = get(&store, &number.to_string(), now) {
                            kept.0.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(store.all().len(), KEYS_MAX);
        let uses: usize = store.all().iter().map(|kept| kept.0.load(Ordering::Relaxed)).sum();
        assert_eq!(uses, 4 * KEYS_MAX);
    }

    #[test]
    fn a_key_that_another_thread_brings_meanwhile_is_found_though_there_is_no_more_room() {
        let (store, now) = (Store::default(), Instant::now());
        for number in 0..KEYS_MAX {
            get(&store, &number.to_string(), now).unwrap();
        }
        // Asked for the time when there seems to be no room, which is when another thread may come in between.
        let meanwhile = || {
            get(&store, "new", now).unwrap();
            now
        };
        let kept = store.get("new", meanwhile, |_| unreachable!("it is there"));
        assert!(kept.is_some());
    }

    #[test]
    fn two_keys_that_meet_in_one_hash_do_not_share() {
        let (store, now) = (Store::default(), Instant::now());
        let hash = store.hash("a");
        let add = |key: &str| store.add(hash, key, || now, |_| Kept(AtomicUsize::new(0)));
        assert!(add("a").is_some());
        assert!(add("b").is_none());
        assert!(store.find_hashed(hash, "b").is_none());
        assert_eq!(store.all().len(), 1);
    }
}
