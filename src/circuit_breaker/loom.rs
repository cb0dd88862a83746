//! The circuit on several threads, in every order that they can take turns in: `just loom`.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use loom::thread;
use tokio::time::Instant;

use super::{
    State,
    circuit::CircuitInner,
    settings::Settings,
    state_machine::{Admission, Rejection},
};
use crate::{
    failure::{Cause, Failure},
    sharded::Sharded,
};

const FAILURE: Failure = Failure::new(Cause::ConnectionRefused);

fn core(settings: Settings) -> Sharded<CircuitInner> {
    // Its count is not loom's. It is shared here to be dropped last, and that is not checked.
    Sharded::new(CircuitInner::new(None, Arc::new(settings), Instant::now()))
}

fn admit(core: &CircuitInner) -> Result<Admission, Rejection> {
    if let Some(admission) = core.try_admit() {
        return Ok(admission);
    }
    let mut admission = Admission::default();
    core.admit(&mut admission).map(|()| admission)
}

fn one_failure_opens() -> Settings {
    Settings { min_calls: 1, ..Settings::default() }
}

/// A circuit after two calls, admitted before either failed, have failed on two threads.
fn after_two_failures(settings: Settings) -> Sharded<CircuitInner> {
    let core = core(settings);
    let admissions = [admit(&core).unwrap(), admit(&core).unwrap()];
    let threads = admissions.map(|admission| {
        let core = core.clone();
        thread::spawn(move || core.record_failure(admission, FAILURE))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    core
}

#[test]
fn two_failures_at_once_open_it_once() {
    loom::model(|| {
        let core = after_two_failures(one_failure_opens());
        let machine = core.machine();
        assert_eq!((machine.state(), machine.generation), (State::Open, 1));
    });
}

#[test]
fn a_failure_that_was_counted_opens_it_even_if_another_is_counted_at_the_same_time() {
    loom::model(|| {
        let core = after_two_failures(Settings { min_calls: 2, ..Settings::default() });
        assert_eq!(core.state(), State::Open);
    });
}

/// That many in a row open it: beside the window, in which there are too few calls, and alone.
fn in_a_row(failures: u32) -> [Settings; 2] {
    let consecutive = NonZeroU32::new(failures);
    let beside = Settings { consecutive, min_calls: 100, ..Settings::default() };
    [beside.clone(), Settings { ratio: None, ..beside }]
}

#[test]
fn failures_in_a_row_on_two_threads_are_all_counted() {
    for settings in in_a_row(2) {
        loom::model(move || {
            assert_eq!(after_two_failures(settings.clone()).state(), State::Open);
        });
    }
}

#[test]
fn two_failures_at_once_open_it_once_where_only_those_in_a_row_count() {
    let [_, alone] = in_a_row(1);
    loom::model(move || {
        let core = after_two_failures(alone.clone());
        let machine = core.machine();
        assert_eq!((machine.state(), machine.generation), (State::Open, 1));
    });
}

#[test]
fn no_more_calls_than_probes_pass_while_it_is_half_open() {
    loom::model(|| {
        let probes = NonZeroU32::MIN;
        let settings = Settings { probes, open_duration: Duration::ZERO, ..one_failure_opens() };
        let core = core(settings);
        let admission = admit(&core).unwrap();
        core.record_failure(admission, FAILURE);
        let threads = [(), ()].map(|()| {
            let core = core.clone();
            thread::spawn(move || admit(&core).is_ok())
        });
        let passed = threads.map(|thread| u32::from(thread.join().unwrap()));
        assert_eq!(passed.iter().sum::<u32>(), 1);
    });
}

#[test]
fn a_late_result_changes_nothing_whenever_it_comes() {
    let [_, alone] = in_a_row(1);
    for settings in [one_failure_opens(), alone] {
        loom::model(move || a_late_result_comes(settings.clone()));
    }
}

fn a_late_result_comes(settings: Settings) {
    let core =
        core(Settings { probes: NonZeroU32::MIN, open_duration: Duration::ZERO, ..settings });
    let (late, first) = (admit(&core).unwrap(), admit(&core).unwrap());
    core.record_failure(first, FAILURE);
    let probe = admit(&core).unwrap();
    let thread = {
        let core = core.clone();
        thread::spawn(move || core.record_failure(late, FAILURE))
    };
    core.record_success(probe);
    thread.join().unwrap();
    let generation = core.machine().generation;
    let counts = core.counts(generation, Instant::now());
    assert_eq!((core.state(), counts.failures), (State::Closed, 0));
}

/// Three in a row open it; a success stands between two failures and two, in whichever order the middle ones come.
#[test]
fn a_success_ends_a_row_whatever_comes_at_the_same_time() {
    for settings in in_a_row(3) {
        loom::model(move || a_success_comes_between(settings.clone()));
    }
}

fn a_success_comes_between(settings: Settings) {
    let core = core(settings);
    let admissions = [(); 4].map(|()| admit(&core).unwrap());
    core.record_failure(admissions[0], FAILURE);
    let success = {
        let (core, admission) = (core.clone(), admissions[1]);
        thread::spawn(move || core.record_success(admission))
    };
    core.record_failure(admissions[2], FAILURE);
    success.join().unwrap();
    core.record_failure(admissions[3], FAILURE);
    assert_eq!(core.state(), State::Closed);
}

/// Three in a row open it. A success comes after two results at the same time, and two failures come after the success.
#[test]
fn success_clears_failures_when_two_results_came_at_once_before_it() {
    for settings in in_a_row(3) {
        loom::model(move || {
            let core = core(settings.clone());
            let admissions = [(); 6].map(|()| admit(&core).unwrap());
            core.record_failure(admissions[0], FAILURE);
            let success = {
                let (core, admission) = (core.clone(), admissions[1]);
                thread::spawn(move || core.record_success(admission))
            };
            core.record_failure(admissions[2], FAILURE);
            success.join().unwrap();
            core.record_success(admissions[3]);
            core.record_failure(admissions[4], FAILURE);
            core.record_failure(admissions[5], FAILURE);
            assert_eq!(core.state(), State::Closed);
        });
    }
}
