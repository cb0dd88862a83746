//! A reference-counted pointer that threads can clone without contending for a cache line.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The number of groups of threads. The threads of a group share a reference count.
pub(crate) const GROUPS: usize = 8;

/// Returns the group of the calling thread.
#[cfg(not(all(test, seawall_loom)))]
pub(crate) fn thread_group() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    // std has no stable API that numbers the threads.
    thread_local! {
        static GROUP: usize = NEXT.fetch_add(1, Ordering::Relaxed) % GROUPS;
    }
    GROUP.with(|group| *group)
}

/// Returns the group of the calling thread of a loom model. All threads of a model run on one
/// thread of std.
#[cfg(all(test, seawall_loom))]
pub(crate) fn thread_group() -> usize {
    let id = format!("{:?}", loom::thread::current().id());
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<usize>().expect("the id of a loom thread contains a number") % GROUPS
}

/// An [`Arc`] with a reference count for each group of threads.
///
/// Threads that clone and drop one `Arc` contend for the cache line of its count. A `ShardedArc`
/// has a *shard* with its own count for each group of threads. The first clone in a group allocates
/// the shard of that group.
///
/// [`new`](Self::new) creates the *root* shard, in the group of the calling thread. The root owns
/// the shards of the other groups. They refer to it weakly, so there is no cycle. If a shard
/// outlives its root, clones on all threads share that shard, as they would share an `Arc`.
pub struct ShardedArc<T>(Arc<Shard<T>>);

/// The shard of one group. Aligned, so that its fields, which other threads read, are not in the
/// cache line of its reference count.
#[repr(align(128))]
struct Shard<T> {
    value: Arc<T>,
    group: usize,
    links: Links<T>,
}

/// The links from a shard to other shards.
enum Links<T> {
    /// The links from the root to the shard of each other group.
    Root([OnceLock<Arc<Shard<T>>>; GROUPS]),
    /// The link from another shard to its root.
    NonRoot(Weak<Shard<T>>),
}

impl<T> ShardedArc<T> {
    pub(crate) fn new(value: T) -> Self {
        let links = Links::Root([const { OnceLock::new() }; GROUPS]);
        Self(Arc::new(Shard { value: Arc::new(value), group: thread_group(), links }))
    }

    /// Replaces the value with a changed clone. Other pointers keep the old value.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let mut value = T::clone(self);
        change(&mut value);
        *self = Self::new(value);
    }

    /// Returns whether this is the only pointer to the value. Another thread with access to this
    /// pointer may clone it at any time.
    pub(crate) fn is_unique(&self) -> bool {
        let is_only = |shard: &Arc<Shard<T>>| Arc::strong_count(shard) == 1;
        match &self.0.links {
            Links::Root(shards) => {
                is_only(&self.0) && shards.iter().filter_map(OnceLock::get).all(is_only)
            }
            Links::NonRoot(_) => false,
        }
    }

    #[cfg(test)]
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.value, &other.0.value)
    }
}

impl<T> Shard<T> {
    /// Returns the shard of `group`. `None` if the root, which would own the shard, has been
    /// dropped.
    fn for_group(self: &Arc<Self>, group: usize) -> Option<Arc<Self>> {
        match &self.links {
            _ if self.group == group => Some(Arc::clone(self)),
            Links::Root(shards) => Some(Arc::clone(shards[group].get_or_init(|| {
                let links = Links::NonRoot(Arc::downgrade(self));
                Arc::new(Self { value: Arc::clone(&self.value), group, links })
            }))),
            Links::NonRoot(root) => root.upgrade()?.for_group(group),
        }
    }
}

impl<T> Clone for ShardedArc<T> {
    fn clone(&self) -> Self {
        Self(self.0.for_group(thread_group()).unwrap_or_else(|| Arc::clone(&self.0)))
    }
}

impl<T> Deref for ShardedArc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Default> Default for ShardedArc<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for ShardedArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A value that counts itself while it is alive.
    struct Counted<'a>(&'a AtomicUsize);

    impl<'a> Counted<'a> {
        fn new(alive: &'a AtomicUsize) -> Self {
            alive.fetch_add(1, Ordering::Relaxed);
            Self(alive)
        }
    }

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Runs `work` on a thread of each group, one after the other.
    fn run_on_each_group<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
        let run = |_| thread::scope(|scope| scope.spawn(&work).join().unwrap());
        (0..GROUPS).map(run).collect()
    }

    #[test]
    fn sharded_arc_drops_value_when_last_clone_is_dropped() {
        let alive = AtomicUsize::new(0);
        let root = ShardedArc::new(Counted::new(&alive));
        let clones = run_on_each_group(|| root.clone());
        // Clones of clones, on threads of other groups.
        let second = run_on_each_group(|| clones.clone());
        assert!(second.iter().flatten().all(|clone| clone.ptr_eq(&root)));
        drop((root, clones));
        assert_eq!(alive.load(Ordering::Relaxed), 1);
        let third = run_on_each_group(|| second.clone());
        drop(second);
        assert_eq!(alive.load(Ordering::Relaxed), 1);
        drop(third);
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn sharded_arc_is_unique_when_no_group_has_clone() {
        let root = ShardedArc::new(1);
        assert!(root.is_unique());
        let clone = root.clone();
        assert!(!root.is_unique());
        drop(clone);
        run_on_each_group(|| {
            let clone = root.clone();
            assert!(!root.is_unique());
            drop(clone);
            assert!(root.is_unique());
        });
    }
}
