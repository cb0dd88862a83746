use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use tokio::time::Instant;

use super::Evictable;
use crate::sharded_arc::{GROUPS, ShardedArc, thread_group};

/// The maximum number of keys in one map.
pub(crate) const MAX_KEYS: usize = 4_096;

/// The maximum length of a key in bytes. A host name has at most 253 bytes.
const MAX_KEY_BYTES: usize = 1_024;

/// The minimum time between two sweeps, so that a flood of new keys does not sweep the map for each
/// key.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A map from at most [`MAX_KEYS`] keys to values.
pub(crate) struct BoundedMap<T> {
    entries: RwLock<HashMap<Arc<str>, ShardedArc<T>>>,
    /// The most recent entry of each group of threads. A thread that calls the same upstream again
    /// does not lock the map.
    recent: [Recent<T>; GROUPS],
    last_sweep: Mutex<Option<Instant>>,
}

/// Aligned, so that groups do not share a cache line.
#[repr(align(128))]
struct Recent<T>(Mutex<Option<(Arc<str>, ShardedArc<T>)>>);

impl<T> Default for BoundedMap<T> {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            recent: std::array::from_fn(|_| Recent(Mutex::new(None))),
            last_sweep: Mutex::default(),
        }
    }
}

impl<T: Evictable> BoundedMap<T> {
    /// Returns the value of `key`, or creates it with `create`.
    ///
    /// Returns `None` if the key is too long, or if the map is full and no value can be evicted.
    #[inline]
    pub(crate) fn get_or_create(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        create: impl FnOnce(Arc<str>) -> T,
    ) -> Option<ShardedArc<T>> {
        let recent = &self.recent[thread_group()];
        if let Some((recent_key, value)) = &*recent.lock()
            && **recent_key == *key
        {
            return Some(value.clone());
        }
        let (key, value) = self.get_entry(key).or_else(|| self.add(key, now, create))?;
        let replaced = recent.lock().replace((key, value.clone()));
        drop(replaced);
        Some(value)
    }

    fn add(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        create: impl FnOnce(Arc<str>) -> T,
    ) -> Option<(Arc<str>, ShardedArc<T>)> {
        if key.len() > MAX_KEY_BYTES {
            return None;
        }
        if self.read().len() >= MAX_KEYS {
            self.sweep(now());
        }
        let mut entries = self.write();
        // Another thread may have added the key meanwhile.
        if let Some((key, value)) = entries.get_key_value(key) {
            return Some((Arc::clone(key), value.clone()));
        }
        if entries.len() >= MAX_KEYS {
            return None;
        }
        let key: Arc<str> = key.into();
        let value = ShardedArc::new(create(Arc::clone(&key)));
        entries.insert(Arc::clone(&key), value.clone());
        Some((key, value))
    }

    /// Removes the evictable values to which only the map has a pointer.
    fn sweep(&self, now: Instant) {
        if !self.is_sweep_due(now) {
            return;
        }
        for recent in &self.recent {
            let removed = recent.lock().take();
            drop(removed);
        }
        // Only the map and `recent` clone their values. Handles share one clone. A value that is
        // unique while the map is locked therefore stays unique.
        let can_evict = |value: &ShardedArc<T>| value.is_unique() && value.is_evictable(now);
        let evicted: Vec<_> = self.write().extract_if(|_, value| can_evict(value)).collect();
        for (_, value) in evicted {
            value.on_evict();
        }
    }

    fn is_sweep_due(&self, now: Instant) -> bool {
        let mut last_sweep = self.last_sweep.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            last_sweep.is_none_or(|last| now.saturating_duration_since(last) >= SWEEP_INTERVAL);
        if is_due {
            *last_sweep = Some(now);
        }
        is_due
    }
}

impl<T> BoundedMap<T> {
    /// Returns the value of `key`, if there is one.
    pub(crate) fn get(&self, key: &str) -> Option<ShardedArc<T>> {
        self.read().get(key).cloned()
    }

    fn get_entry(&self, key: &str) -> Option<(Arc<str>, ShardedArc<T>)> {
        let entries = self.read();
        let (key, value) = entries.get_key_value(key)?;
        Some((Arc::clone(key), value.clone()))
    }

    /// Returns all values, in no particular order.
    pub(crate) fn all(&self) -> Vec<ShardedArc<T>> {
        self.read().values().cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, ShardedArc<T>>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, ShardedArc<T>>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Recent<T> {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Option<(Arc<str>, ShardedArc<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for BoundedMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedMap").field("len", &self.read().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A value that is evictable while its number is zero.
    struct Counter(AtomicUsize);

    impl Evictable for Counter {
        fn is_evictable(&self, _now: Instant) -> bool {
            self.0.load(Ordering::Relaxed) == 0
        }
    }

    fn get_or_create(
        map: &BoundedMap<Counter>,
        key: &str,
        now: Instant,
    ) -> Option<ShardedArc<Counter>> {
        map.get_or_create(key, || now, |_| Counter(AtomicUsize::new(0)))
    }

    #[test]
    fn map_evicts_unused_values_when_full() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        let held = get_or_create(&map, "held", now).unwrap();
        get_or_create(&map, "dirty", now).unwrap().0.store(1, Ordering::Relaxed);
        for number in 0..MAX_KEYS - 2 {
            get_or_create(&map, &number.to_string(), now).unwrap();
        }
        assert_eq!(map.all().len(), MAX_KEYS);
        assert!(get_or_create(&map, "one more", now).is_some());
        assert_eq!(map.all().len(), 3);
        assert!(held.ptr_eq(&map.get("held").unwrap()));
        assert_eq!(map.get("dirty").unwrap().0.load(Ordering::Relaxed), 1);
        assert!(map.get("7").is_none());
    }

    #[test]
    fn map_sweeps_once_per_second_when_keys_flood_in() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        for number in 0..100_000 {
            if let Some(value) = get_or_create(&map, &number.to_string(), now) {
                value.0.store(1, Ordering::Relaxed);
            }
        }
        assert_eq!(map.all().len(), MAX_KEYS);
        for value in map.all() {
            value.0.store(0, Ordering::Relaxed);
        }
        assert!(get_or_create(&map, "new", now + Duration::from_millis(999)).is_none());
        assert!(get_or_create(&map, "new", now + Duration::from_secs(1)).is_some());
        assert_eq!(map.all().len(), 1);
    }

    #[test]
    fn threads_share_values_and_do_not_exceed_maximum() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..MAX_KEYS + 100 {
                        if let Some(value) = get_or_create(&map, &number.to_string(), now) {
                            value.0.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(map.all().len(), MAX_KEYS);
        let uses: usize = map.all().iter().map(|value| value.0.load(Ordering::Relaxed)).sum();
        assert_eq!(uses, 4 * MAX_KEYS);
    }

    #[test]
    fn map_finds_key_that_another_thread_added_when_full() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        for number in 0..MAX_KEYS {
            get_or_create(&map, &number.to_string(), now).unwrap();
        }
        // The map reads the time only when it is full. Another thread may add the key at that
        // point.
        let now_after_other_thread = || {
            get_or_create(&map, "new", now).unwrap();
            now
        };
        let value =
            map.get_or_create("new", now_after_other_thread, |_| unreachable!("the key exists"));
        assert!(value.is_some());
    }

    #[test]
    fn map_frees_every_value_when_two_threads_use_100_000_hosts() {
        struct Alive(Arc<AtomicUsize>);

        impl Evictable for Alive {
            fn is_evictable(&self, _now: Instant) -> bool {
                true
            }
        }

        impl Drop for Alive {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        let (map, alive) = (BoundedMap::default(), Arc::new(AtomicUsize::new(0)));
        let start = Instant::now();
        // Each host is called one second after the previous one, so every sweep is due.
        let call = |host: u32| {
            let now = || start + Duration::from_secs(host.into());
            map.get_or_create(&host.to_string(), now, |_| {
                alive.fetch_add(1, Ordering::Relaxed);
                Alive(Arc::clone(&alive))
            })
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..100_000).for_each(|host| drop(call(host))));
            }
        });
        // Both threads have ended, so only the map and its cache hold values.
        assert!(map.all().len() <= MAX_KEYS);
        assert!(alive.load(Ordering::Relaxed) <= MAX_KEYS + GROUPS);
        drop(map);
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}
