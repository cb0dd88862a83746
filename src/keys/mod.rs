//! One of something for all requests, or one for each key, bounded: what layers with a state have in common.

#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
mod by;

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Uri;
use tokio::time::Instant;

#[cfg(feature = "standard")]
pub(crate) use self::by::Named;
#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
pub(crate) use self::by::{ByRequest, ByUri, Key};

/// How many keys are kept. More share nothing: see [`Store::get`].
pub(crate) const KEYS_MAX: usize = 4_096;

/// So many that threads seldom meet in one.
const SHARDS: usize = 16;

/// How often keys that can go are looked for at the most, so that a flood of keys does not cost a search each.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What is kept for a key.
pub(crate) trait Keep {
    /// Whether nothing is lost by forgetting it.
    fn is_clean(&self, now: Instant) -> bool;
}

/// A `T` for each key, at most [`KEYS_MAX`].
pub(crate) struct Store<T> {
    shards: [RwLock<Shard<T>>; SHARDS],
    len: AtomicUsize,
    hasher: RandomState,
    /// When keys that can go were last looked for.
    swept: Mutex<Option<Instant>>,
}

type Shard<T> = HashMap<Arc<str>, Arc<T>>;

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
    /// The one for `key`, made if there is none. `None` if there are too many, and none of them can go.
    pub(crate) fn get(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<Arc<T>> {
        let shard = &self.shards[self.hasher.hash_one(key) as usize % SHARDS];
        let find = || shard.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(found) = find() {
            return Some(found);
        }
        if !self.has_room(now) {
            // Another thread may have taken the last place for this very key.
            return find();
        }
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = shard.get(key) {
            return Some(Arc::clone(found));
        }
        // Counted before it is there, so that many at once do not pass the bound.
        let more = |len| (len < KEYS_MAX).then_some(len + 1);
        self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let key: Arc<str> = key.into();
        let new = Arc::new(make(Arc::clone(&key)));
        shard.insert(key, Arc::clone(&new));
        Some(new)
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
            let before = shard.len();
            // Nobody can take another hold of it meanwhile: that needs the lock.
            shard.retain(|_, kept| Arc::strong_count(kept) > 1 || !kept.is_clean(now));
            self.len.fetch_sub(before - shard.len(), Ordering::Relaxed);
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

    /// The one for `key`, if there is one.
    #[cfg(any(test, feature = "circuit-breaker"))]
    pub(crate) fn find(&self, key: &str) -> Option<Arc<T>> {
        let shard = &self.shards[self.hasher.hash_one(key) as usize % SHARDS];
        shard.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// All there are, in no order.
    #[cfg(any(test, feature = "circuit-breaker"))]
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        let kept = |shard: &RwLock<Shard<T>>| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.values().cloned().collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(kept).collect()
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Keys by host and port, in lower case, and without the port if it is the scheme's own: RFC 3986 §6.2.2.1, §6.2.3.
#[must_use]
pub fn by_authority(uri: &Uri) -> Option<Cow<'_, str>> {
    let whole = uri.authority()?.as_str();
    // A user's name and password are no part of where a request goes.
    let host = whole.rsplit_once('@').map_or(whole, |(_, host)| host);
    let host = match uri.scheme_str() {
        Some("http") => host.strip_suffix(":80").unwrap_or(host),
        Some("https") => host.strip_suffix(":443").unwrap_or(host),
        _ => host,
    };
    Some(if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    })
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
    fn an_authority_is_host_and_port_without_the_user() {
        let of = |uri: &'static str| by_authority(&Uri::from_static(uri)).map(Cow::into_owned);
        assert_eq!(of("http://u:p@a:81/x").as_deref(), Some("a:81"));
        assert_eq!(of("http://a/x").as_deref(), Some("a"));
        assert_eq!(of("http://Example.COM:80/x").as_deref(), Some("example.com"));
        assert_eq!(of("https://a:443/x").as_deref(), Some("a"));
        assert_eq!(of("https://a:80/x").as_deref(), Some("a:80"));
        assert_eq!(of("http://[::1]:80/x").as_deref(), Some("[::1]"));
        assert_eq!(of("/x"), None);
    }
}
