//! A reference-counted pointer that threads clone without writing to the same cache line.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The number of groups of threads. The threads of a group share a count.
pub(crate) const GROUPS: usize = 8;

/// Returns the group of the calling thread.
#[cfg(not(all(test, seawall_loom)))]
pub(crate) fn thread_group() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    // The only thread-local of this crate. std has no stable number of a thread.
    thread_local! {
        static GROUP: usize = NEXT.fetch_add(1, Ordering::Relaxed) % GROUPS;
    }
    GROUP.with(|group| *group)
}

/// Returns the group of the calling thread in its loom model. All threads of a model run on one std
/// thread.
#[cfg(all(test, seawall_loom))]
pub(crate) fn thread_group() -> usize {
    let id = format!("{:?}", loom::thread::current().id());
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<usize>().expect("a loom thread has no number") % GROUPS
}

/// An [`Arc`] with a count for each group of threads.
///
/// Two threads that clone and drop one `Arc` contend for its cache line at every call. Here each
/// group of threads has a shard with its own count. The first clone in a group allocates the shard,
/// later ones do not.
///
/// The pointer returned by [`new`](Self::new) is the root, and so are its clones in the group that
/// created it. The root owns the shards of the other groups. They refer to it weakly, so there is
/// no cycle. A shard that outlives its root serves all groups, as an `Arc` would.
pub struct ShardedArc<T>(Arc<Shard<T>>);

/// The pointer of one group. Aligned, so that its fields, which other threads read, are not in the
/// cache line of its count.
#[repr(align(128))]
struct Shard<T> {
    value: Arc<T>,
    group: usize,
    family: Family<T>,
}

enum Family<T> {
    /// The shards of the other groups.
    Root([OnceLock<Arc<Shard<T>>>; GROUPS]),
    /// The root that owns this shard.
    Member(Weak<Shard<T>>),
}

impl<T> ShardedArc<T> {
    pub(crate) fn new(value: T) -> Self {
        let family = Family::Root([const { OnceLock::new() }; GROUPS]);
        Self(Arc::new(Shard { value: Arc::new(value), group: thread_group(), family }))
    }

    /// Replaces the value by a changed copy. Other pointers keep the old value.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let mut value = T::clone(self);
        change(&mut value);
        *self = Self::new(value);
    }

    /// Returns whether there is no other pointer to the value. A thread with access to this pointer
    /// may create another one at any time.
    pub(crate) fn is_unique(&self) -> bool {
        let is_only = |shard: &Arc<Shard<T>>| Arc::strong_count(shard) == 1;
        match &self.0.family {
            Family::Root(shards) => {
                is_only(&self.0) && shards.iter().filter_map(OnceLock::get).all(is_only)
            }
            Family::Member(_) => false,
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
        match &self.family {
            _ if self.group == group => Some(Arc::clone(self)),
            Family::Root(shards) => Some(Arc::clone(shards[group].get_or_init(|| {
                let family = Family::Member(Arc::downgrade(self));
                Arc::new(Self { value: Arc::clone(&self.value), group, family })
            }))),
            Family::Member(root) => root.upgrade()?.for_group(group),
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
