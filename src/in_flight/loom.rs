//! The limit on several threads, in every order that they can take turns in: `just loom`.

use std::num::NonZeroU32;

use loom::thread;

use super::limit::{Kind, Limit, Permit};
use crate::sharded_arc::ShardedArc;

fn limit(max: u32) -> ShardedArc<Limit> {
    // Its count is not loom's, as in the circuit's tests.
    ShardedArc::new(Limit::new(None, Kind::Fixed(NonZeroU32::new(max).unwrap())))
}

fn take(limit: &ShardedArc<Limit>) -> Option<Permit> {
    Permit::acquire(limit.clone()).ok()
}

#[test]
fn of_two_that_come_at_once_one_has_the_only_place() {
    loom::model(|| {
        let limit = limit(1);
        let other = {
            let limit = limit.clone();
            thread::spawn(move || take(&limit))
        };
        let permits = [take(&limit), other.join().unwrap()];
        assert_eq!(permits.iter().flatten().count(), 1);
        assert_eq!(limit.in_flight(), 1);
        drop(permits);
        assert_eq!(limit.in_flight(), 0);
    });
}

#[test]
fn a_place_that_is_given_back_is_there_for_one_other_and_is_given_back_once() {
    loom::model(|| {
        let limit = limit(2);
        let kept = take(&limit).unwrap();
        let leaves = take(&limit).unwrap();
        let leaves = thread::spawn(move || drop(leaves));
        let comes = {
            let limit = limit.clone();
            thread::spawn(move || take(&limit))
        };
        leaves.join().unwrap();
        // It may have come before the other left.
        let come = comes.join().unwrap();
        assert_eq!(limit.in_flight(), 1 + u32::from(come.is_some()));
        assert_eq!(take(&limit).is_some(), come.is_none());
        drop((kept, come));
        assert_eq!(limit.in_flight(), 0);
    });
}
