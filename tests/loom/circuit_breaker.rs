//! Runs the circuit on several threads, in every possible interleaving: `just loom`.
//!
//! A module of `circuit_breaker`, included by path, since it uses private items.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use loom::thread;
use seawall_core::{Cause, Failure};
use tokio::time::Instant;

use super::{
    State,
    circuit::CircuitInner,
    settings::Settings,
    state_machine::{Admission, Rejection},
};
use crate::sharded_arc::ShardedArc;

const FAILURE: Failure = Failure::new(Cause::ConnectionRefused);

fn new_circuit(settings: Settings) -> ShardedArc<CircuitInner> {
    // Loom does not check the reference count. The model shares the circuit, and drops it last.
    ShardedArc::new(CircuitInner::new(None, Arc::new(settings), Instant::now()))
}

fn admit(circuit: &CircuitInner) -> Result<Admission, Rejection> {
    if let Some(admission) = circuit.admit_if_closed() {
        return Ok(admission);
    }
    let mut admission = Admission::default();
    circuit.admit(&mut admission).map(|()| admission)
}

/// Returns settings with which one failure opens the circuit.
fn open_on_first_failure() -> Settings {
    Settings { min_calls: 1, ..Settings::default() }
}

/// Returns a circuit after two calls have failed on two threads. Both were admitted before either
/// failed.
fn after_two_failures(settings: Settings) -> ShardedArc<CircuitInner> {
    let circuit = new_circuit(settings);
    let admissions = [admit(&circuit).unwrap(), admit(&circuit).unwrap()];
    let threads = admissions.map(|admission| {
        let circuit = circuit.clone();
        thread::spawn(move || circuit.record_failure(admission, FAILURE))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    circuit
}

#[test]
fn circuit_opens_once_when_two_calls_fail_concurrently() {
    loom::model(|| {
        let circuit = after_two_failures(open_on_first_failure());
        let machine = circuit.lock_machine();
        assert_eq!((machine.state(), machine.generation), (State::Open, 1));
    });
}

#[test]
fn circuit_counts_both_failures_when_two_calls_fail_concurrently() {
    loom::model(|| {
        let circuit = after_two_failures(Settings { min_calls: 2, ..Settings::default() });
        assert_eq!(circuit.state(), State::Open);
    });
}

/// Returns settings with which this number of consecutive failures opens the circuit. The first has
/// a window, in which there are too few calls. The second has none.
fn open_on_consecutive_failures(failures: u32) -> [Settings; 2] {
    let consecutive_failures = NonZeroU32::new(failures);
    let with_window = Settings { consecutive_failures, min_calls: 100, ..Settings::default() };
    [with_window.clone(), Settings { failure_ratio: None, ..with_window }]
}

#[test]
fn circuit_counts_consecutive_failures_when_two_calls_fail_concurrently() {
    for settings in open_on_consecutive_failures(2) {
        loom::model(move || {
            assert_eq!(after_two_failures(settings.clone()).state(), State::Open);
        });
    }
}

#[test]
fn circuit_without_window_opens_once_when_two_calls_fail_concurrently() {
    let [_, without_window] = open_on_consecutive_failures(1);
    loom::model(move || {
        let circuit = after_two_failures(without_window.clone());
        let machine = circuit.lock_machine();
        assert_eq!((machine.state(), machine.generation), (State::Open, 1));
    });
}

#[test]
fn half_open_circuit_admits_one_probe_when_two_calls_arrive_concurrently() {
    loom::model(|| {
        let settings = Settings {
            half_open_probes: NonZeroU32::MIN,
            open_duration: Duration::ZERO,
            ..open_on_first_failure()
        };
        let circuit = new_circuit(settings);
        let admission = admit(&circuit).unwrap();
        circuit.record_failure(admission, FAILURE);
        let threads = [(), ()].map(|()| {
            let circuit = circuit.clone();
            thread::spawn(move || admit(&circuit).is_ok())
        });
        let admitted = threads.map(|thread| u32::from(thread.join().unwrap()));
        assert_eq!(admitted.iter().sum::<u32>(), 1);
    });
}

#[test]
fn circuit_ignores_stale_failure_when_probe_succeeds_concurrently() {
    let [_, without_window] = open_on_consecutive_failures(1);
    for settings in [open_on_first_failure(), without_window] {
        loom::model(move || stale_failure_is_recorded(settings.clone()));
    }
}

fn stale_failure_is_recorded(settings: Settings) {
    let circuit = new_circuit(Settings {
        half_open_probes: NonZeroU32::MIN,
        open_duration: Duration::ZERO,
        ..settings
    });
    let (stale, first) = (admit(&circuit).unwrap(), admit(&circuit).unwrap());
    circuit.record_failure(first, FAILURE);
    let probe = admit(&circuit).unwrap();
    let thread = {
        let circuit = circuit.clone();
        thread::spawn(move || circuit.record_failure(stale, FAILURE))
    };
    circuit.record_success(probe);
    thread.join().unwrap();
    let generation = circuit.lock_machine().generation;
    let counts = circuit.counts(generation, Instant::now());
    assert_eq!((circuit.state(), counts.failures), (State::Closed, 0));
}

/// Three consecutive failures would open the circuit. There are at most two on each side of the
/// success, whichever of the two concurrent results is recorded first.
#[test]
fn success_clears_failures_when_failure_is_recorded_concurrently() {
    for settings in open_on_consecutive_failures(3) {
        loom::model(move || success_is_recorded_between_failures(settings.clone()));
    }
}

fn success_is_recorded_between_failures(settings: Settings) {
    let circuit = new_circuit(settings);
    let admissions = [(); 4].map(|()| admit(&circuit).unwrap());
    circuit.record_failure(admissions[0], FAILURE);
    let success = {
        let (circuit, admission) = (circuit.clone(), admissions[1]);
        thread::spawn(move || circuit.record_success(admission))
    };
    circuit.record_failure(admissions[2], FAILURE);
    success.join().unwrap();
    circuit.record_failure(admissions[3], FAILURE);
    assert_eq!(circuit.state(), State::Closed);
}

/// Three consecutive failures would open the circuit. After two concurrent results, a success and
/// two failures are recorded.
#[test]
fn success_clears_failures_after_two_concurrent_results() {
    for settings in open_on_consecutive_failures(3) {
        loom::model(move || {
            let circuit = new_circuit(settings.clone());
            let admissions = [(); 6].map(|()| admit(&circuit).unwrap());
            circuit.record_failure(admissions[0], FAILURE);
            let success = {
                let (circuit, admission) = (circuit.clone(), admissions[1]);
                thread::spawn(move || circuit.record_success(admission))
            };
            circuit.record_failure(admissions[2], FAILURE);
            success.join().unwrap();
            circuit.record_success(admissions[3]);
            circuit.record_failure(admissions[4], FAILURE);
            circuit.record_failure(admissions[5], FAILURE);
            assert_eq!(circuit.state(), State::Closed);
        });
    }
}
