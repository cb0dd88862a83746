//! The circuit on several threads, in every order that they can take turns in: `just loom`.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use loom::thread;
use tokio::time::Instant;

use super::{
    State,
    circuit::Core,
    settings::Settings,
    state::{Refusal, Ticket},
};
use crate::failure::{Cause, Failure};

const FAILURE: Failure = Failure::new(Cause::ConnectionRefused);

fn core(settings: Settings) -> Sharded<Core> {
    // Not loom's: it is shared here only to be dropped last, and its count is none of what is checked.
    Arc::new(Core::new(None, Arc::new(settings), Instant::now()))
}

fn admit(core: &Core) -> Result<Ticket, Refusal> {
    let mut ticket = Ticket::default();
    core.admit(&mut ticket).map(|()| ticket)
}

fn one_failure_opens() -> Settings {
    Settings { min_calls: 1, ..Settings::default() }
}

/// A circuit after two calls, admitted before either failed, have failed on two threads.
fn after_two_failures(settings: Settings) -> Sharded<Core> {
    let core = core(settings);
    let tickets = [admit(&core).unwrap(), admit(&core).unwrap()];
    let threads = tickets.map(|ticket| {
        let core = Arc::clone(&core);
        thread::spawn(move || core.failed(ticket, FAILURE))
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
        let settings = Settings { probes, open_for: Duration::ZERO, ..one_failure_opens() };
        let core = core(settings);
        let ticket = admit(&core).unwrap();
        core.failed(ticket, FAILURE);
        let threads = [(), ()].map(|()| {
            let core = Arc::clone(&core);
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
    let core = core(Settings { probes: NonZeroU32::MIN, open_for: Duration::ZERO, ..settings });
    let (late, first) = (admit(&core).unwrap(), admit(&core).unwrap());
    core.failed(first, FAILURE);
    let probe = admit(&core).unwrap();
    let thread = {
        let core = Arc::clone(&core);
        thread::spawn(move || core.failed(late, FAILURE))
    };
    Arc::clone(&core).succeeded(probe);
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
    let tickets = [(); 4].map(|()| admit(&core).unwrap());
    core.failed(tickets[0], FAILURE);
    let success = {
        let (core, ticket) = (Arc::clone(&core), tickets[1]);
        thread::spawn(move || core.succeeded(ticket))
    };
    core.failed(tickets[2], FAILURE);
    success.join().unwrap();
    core.failed(tickets[3], FAILURE);
    assert_eq!(core.state(), State::Closed);
}
