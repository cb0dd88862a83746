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

/// The maximum length of a key, in bytes: four times the longest host name.
const MAX_KEY_BYTES: usize = 1_024;

/// The minimum time between two sweeps, so that not every key of a flood causes one.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A map from at most [`MAX_KEYS`] keys to values.
pub(crate) struct BoundedMap<T> {
    entries: RwLock<HashMap<Arc<str>, ShardedArc<T>>>,
    /// The entry that each group of threads found last. Most threads call the same upstream
    /// repeatedly, and need not lock the map for that.
    recent: [Recent<T>; GROUPS],
    swept: Mutex<Option<Instant>>,
}

/// Aligned, so that groups do not share a cache line.
#[repr(align(128))]
struct Recent<T>(Mutex<Option<(Arc<str>, ShardedArc<T>)>>);

impl<T> Default for BoundedMap<T> {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            recent: std::array::from_fn(|_| Recent(Mutex::new(None))),
            swept: Mutex::default(),
        }
    }
}

impl<T: Evictable> BoundedMap<T> {
    /// Returns the value of `key`, and creates it if there is none.
    ///
    /// Returns `None` if the key is too long, or if the map is full and no value can be evicted.
    #[inline]
    pub(crate) fn get(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<ShardedArc<T>> {
        let recent = &self.recent[thread_group()];
        if let Some((recent_key, value)) = &*recent.lock()
            && **recent_key == *key
        {
            return Some(value.clone());
        }
        let (key, value) = self.find_entry(key).or_else(|| self.add(key, now, make))?;
        let replaced = recent.lock().replace((key, value.clone()));
        drop(replaced);
        Some(value)
    }

    fn add(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
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
        let value = ShardedArc::new(make(Arc::clone(&key)));
        entries.insert(Arc::clone(&key), value.clone());
        Some((key, value))
    }

    /// Removes the evictable values that no call holds.
    fn sweep(&self, now: Instant) {
        if !self.is_sweep_due(now) {
            return;
        }
        for recent in &self.recent {
            let removed = recent.lock().take();
            drop(removed);
        }
        // Values are cloned only out of the map and out of `recent`. A value that is unique under
        // this lock stays unique, since handles share one clone.
        let can_evict = |value: &ShardedArc<T>| value.is_unique() && value.is_evictable(now);
        let evicted: Vec<_> = self.write().extract_if(|_, value| can_evict(value)).collect();
        for (_, value) in evicted {
            value.on_evict();
        }
    }

    fn is_sweep_due(&self, now: Instant) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_INTERVAL);
        if is_due {
            *swept = Some(now);
        }
        is_due
    }
}

impl<T> BoundedMap<T> {
    /// Returns the value of `key`, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<ShardedArc<T>> {
        self.read().get(key).cloned()
    }

    fn find_entry(&self, key: &str) -> Option<(Arc<str>, ShardedArc<T>)> {
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

    struct Entry(AtomicUsize);

    impl Evictable for Entry {
        fn is_evictable(&self, _now: Instant) -> bool {
            self.0.load(Ordering::Relaxed) == 0
        }
    }

    fn get(map: &BoundedMap<Entry>, key: &str, now: Instant) -> Option<ShardedArc<Entry>> {
        map.get(key, || now, |_| Entry(AtomicUsize::new(0)))
    }

    #[test]
    fn map_evicts_unused_values_when_full() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        let held = get(&map, "held", now).unwrap();
        get(&map, "dirty", now).unwrap().0.store(1, Ordering::Relaxed);
        for number in 0..MAX_KEYS - 2 {
            get(&map, &number.to_string(), now).unwrap();
        }
        assert_eq!(map.all().len(), MAX_KEYS);
        assert!(get(&map, "one more", now).is_some());
        assert_eq!(map.all().len(), 3);
        assert!(held.ptr_eq(&map.find("held").unwrap()));
        assert_eq!(map.find("dirty").unwrap().0.load(Ordering::Relaxed), 1);
        assert!(map.find("7").is_none());
    }

    #[test]
    fn map_sweeps_once_per_second_when_keys_flood_in() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        for number in 0..100_000 {
            if let Some(value) = get(&map, &number.to_string(), now) {
                value.0.store(1, Ordering::Relaxed);
            }
        }
        assert_eq!(map.all().len(), MAX_KEYS);
        for value in map.all() {
            value.0.store(0, Ordering::Relaxed);
        }
        assert!(get(&map, "new", now + Duration::from_millis(999)).is_none());
        assert!(get(&map, "new", now + Duration::from_secs(1)).is_some());
        assert_eq!(map.all().len(), 1);
    }

    #[test]
    fn threads_share_values_and_do_not_exceed_maximum() {
        let (map, now) = (BoundedMap::default(), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..MAX_KEYS + 100 {
                        if let Some(value) = get(&map, &number.to_string(), now) {
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
            get(&map, &number.to_string(), now).unwrap();
        }
        // The map reads the time when it finds no room. Another thread may add a key at that point.
        let now_after_other_thread = || {
            get(&map, "new", now).unwrap();
            now
        };
        let value = map.get("new", now_after_other_thread, |_| unreachable!("the key exists"));
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
        // Each host is one second later, so the map may be swept whenever it is full.
        let call = |host: u32| {
            let now = || start + Duration::from_secs(host.into());
            map.get(&host.to_string(), now, |_| {
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
