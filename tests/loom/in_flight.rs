//! Runs the in-flight limit on several threads, in every possible interleaving: `just loom`.
//!
//! A module of `in_flight`, included by path, since it uses private items.

use std::{num::NonZeroU32, time::Duration};

use loom::thread;

use super::limit::{Kind, Limit, Permit};
use crate::{body::CompletionObserver, sharded_arc::ShardedArc};

fn new_limit(max: u32) -> ShardedArc<Limit> {
    // Loom does not check the reference count, as in the model of the circuit.
    ShardedArc::new(Limit::new(None, Kind::Fixed(NonZeroU32::new(max).unwrap())))
}

fn acquire(limit: &ShardedArc<Limit>) -> Option<Permit> {
    Permit::acquire(limit.clone(), Duration::MAX).ok()
}

#[test]
fn limit_admits_one_call_when_two_arrive_concurrently() {
    loom::model(|| {
        let limit = new_limit(1);
        let other = {
            let limit = limit.clone();
            thread::spawn(move || acquire(&limit))
        };
        let permits = [acquire(&limit), other.join().unwrap()];
        assert_eq!(permits.iter().flatten().count(), 1);
        assert_eq!(limit.in_flight(), 1);
        drop(permits);
        assert_eq!(limit.in_flight(), 0);
    });
}

#[test]
fn limit_counts_unread_permit_once_when_released_and_dropped_concurrently() {
    loom::model(|| {
        let limit = new_limit(1);
        let mut unread = acquire(&limit).unwrap();
        unread.on_unread();
        // Starts a new period. Nothing was unread in the one before.
        assert!(Permit::acquire(limit.clone(), Duration::ZERO).is_err());
        let dropped = thread::spawn(move || drop(unread));
        let admitted = Permit::acquire(limit.clone(), Duration::ZERO).ok();
        dropped.join().unwrap();
        assert_eq!(limit.in_flight(), u32::from(admitted.is_some()));
        drop(admitted);
        assert_eq!(limit.in_flight(), 0);
    });
}

#[test]
fn limit_reuses_permit_once_when_it_is_dropped_concurrently() {
    loom::model(|| {
        let limit = new_limit(2);
        let held = acquire(&limit).unwrap();
        let released = acquire(&limit).unwrap();
        let release = thread::spawn(move || drop(released));
        let arrival = {
            let limit = limit.clone();
            thread::spawn(move || acquire(&limit))
        };
        release.join().unwrap();
        // The call may have arrived before the permit was dropped.
        let admitted = arrival.join().unwrap();
        assert_eq!(limit.in_flight(), 1 + u32::from(admitted.is_some()));
        assert_eq!(acquire(&limit).is_some(), admitted.is_none());
        drop((held, admitted));
        assert_eq!(limit.in_flight(), 0);
    });
}
