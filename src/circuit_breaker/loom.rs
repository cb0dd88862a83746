//! The circuit on several threads, in every order that they can take turns in: `just loom`.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use loom::thread;
use seawall_core::failure::{Cause, Failure};
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
    // Its count is not loom's. It is shared here to be dropped last, and that is not checked.
    ShardedArc::new(CircuitInner::new(None, Arc::new(settings), Instant::now()))
}

fn admit(circuit: &CircuitInner) -> Result<Admission, Rejection> {
    if let Some(admission) = circuit.try_admit() {
        return Ok(admission);
    }
    let mut admission = Admission::default();
    circuit.admit(&mut admission).map(|()| admission)
}

fn one_failure_opens() -> Settings {
    Settings { min_calls: 1, ..Settings::default() }
}

/// A circuit after two calls, admitted before either failed, have failed on two threads.
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
fn two_failures_at_once_open_it_once() {
    loom::model(|| {
        let circuit = after_two_failures(one_failure_opens());
        let machine = circuit.machine();
        assert_eq!((machine.state(), machine.generation), (State::Open, 1));
    });
}

#[test]
fn a_failure_that_was_counted_opens_it_even_if_another_is_counted_at_the_same_time() {
    loom::model(|| {
        let circuit = after_two_failures(Settings { min_calls: 2, ..Settings::default() });
        assert_eq!(circuit.state(), State::Open);
    });
}

/// That many in a row open it: beside the window, in which there are too few calls, and alone.
fn consecutive(failures: u32) -> [Settings; 2] {
    let consecutive = NonZeroU32::new(failures);
    let beside = Settings { consecutive, min_calls: 100, ..Settings::default() };
    [beside.clone(), Settings { ratio: None, ..beside }]
}

#[test]
fn failures_in_a_row_on_two_threads_are_all_counted() {
    for settings in consecutive(2) {
        loom::model(move || {
            assert_eq!(after_two_failures(settings.clone()).state(), State::Open);
        });
    }
}

#[test]
fn two_failures_at_once_open_it_once_where_only_those_in_a_row_count() {
    let [_, alone] = consecutive(1);
    loom::model(move || {
        let circuit = after_two_failures(alone.clone());
        let machine = circuit.machine();
        assert_eq!((machine.state(), machine.generation), (State::Open, 1));
    });
}

#[test]
fn no_more_calls_than_probes_pass_while_it_is_half_open() {
    loom::model(|| {
        let probes = NonZeroU32::MIN;
        let settings = Settings { probes, open_duration: Duration::ZERO, ..one_failure_opens() };
        let circuit = new_circuit(settings);
        let admission = admit(&circuit).unwrap();
        circuit.record_failure(admission, FAILURE);
        let threads = [(), ()].map(|()| {
            let circuit = circuit.clone();
            thread::spawn(move || admit(&circuit).is_ok())
        });
        let passed = threads.map(|thread| u32::from(thread.join().unwrap()));
        assert_eq!(passed.iter().sum::<u32>(), 1);
    });
}

#[test]
fn a_late_result_changes_nothing_whenever_it_comes() {
    let [_, alone] = consecutive(1);
    for settings in [one_failure_opens(), alone] {
        loom::model(move || a_late_result_comes(settings.clone()));
    }
}

fn a_late_result_comes(settings: Settings) {
    let circuit = new_circuit(Settings {
        probes: NonZeroU32::MIN,
        open_duration: Duration::ZERO,
        ..settings
    });
    let (late, first) = (admit(&circuit).unwrap(), admit(&circuit).unwrap());
    circuit.record_failure(first, FAILURE);
    let probe = admit(&circuit).unwrap();
    let thread = {
        let circuit = circuit.clone();
        thread::spawn(move || circuit.record_failure(late, FAILURE))
    };
    circuit.record_success(probe);
    thread.join().unwrap();
    let generation = circuit.machine().generation;
    let counts = circuit.counts(generation, Instant::now());
    assert_eq!((circuit.state(), counts.failures), (State::Closed, 0));
}

/// Three in a row open it; a success stands between two failures and two, in whichever order the middle ones come.
#[test]
fn a_success_ends_a_row_whatever_comes_at_the_same_time() {
    for settings in consecutive(3) {
        loom::model(move || a_success_comes_between(settings.clone()));
    }
}

fn a_success_comes_between(settings: Settings) {
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

/// Three in a row open it. A success comes after two results at the same time, and two failures come after the success.
#[test]
fn success_clears_failures_when_two_results_came_at_once_before_it() {
    for settings in consecutive(3) {
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
