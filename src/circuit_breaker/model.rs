//! The circuit against a naive one: a list of results with their times, and a plain enum.

use std::{collections::VecDeque, num::NonZeroU32, sync::Arc, time::Duration};

use proptest::prelude::*;
use seawall_core::{
    failure::{Cause, Failure},
    ratio::Ratio,
};
use tokio::time::Instant;

use super::{Circuit, State, circuit::CircuitInner, permit::Permit, settings::Settings};
use crate::{body::CompletionObserver, sharded_arc::ShardedArc};

const BUCKETS: u64 = 10;

/// What is done to both.
#[derive(Clone, Debug)]
enum Step {
    Call,
    /// Ends one of the calls under way, if there is any.
    Succeed(usize),
    /// And asks to wait so many seconds, if any.
    Fail(usize, u64),
    Cancel(usize),
    Pass(Duration),
    Force(bool),
    Release,
}

#[derive(Debug)]
enum Naive {
    Closed,
    Open { until: Duration },
    HalfOpen { out: Vec<(u64, Duration)>, succeeded: u32, failed: u32 },
    Forced(bool),
}

struct Model {
    settings: Arc<Settings>,
    now: Duration,
    state: Naive,
    generation: u64,
    results: VecDeque<(Duration, bool)>,
    consecutive: u32,
    reopened: u32,
    refused: u64,
    next: u64,
}

/// A call under way, as the model knows it.
#[derive(Clone, Copy)]
struct Call {
    id: u64,
    generation: u64,
    started: Duration,
}

impl Model {
    fn state(&self) -> State {
        match self.state {
            Naive::Closed => State::Closed,
            Naive::Open { .. } => State::Open,
            Naive::HalfOpen { .. } => State::HalfOpen,
            Naive::Forced(true) => State::ForcedOpen,
            Naive::Forced(false) => State::ForcedClosed,
        }
    }

    fn go(&mut self, state: Naive) {
        self.state = state;
        self.generation += 1;
        self.results.clear();
        self.consecutive = 0;
    }

    fn admit(&mut self) -> Option<Call> {
        if matches!(self.state, Naive::Open { until } if self.now >= until) {
            self.go(Naive::HalfOpen { out: Vec::new(), succeeded: 0, failed: 0 });
        }
        let call = Call { id: self.next, generation: self.generation, started: self.now };
        let (now, probes) = (self.now, self.settings.probes.get());
        let passes = match &mut self.state {
            Naive::Closed | Naive::Forced(false) => true,
            Naive::Open { .. } | Naive::Forced(true) => false,
            Naive::HalfOpen { out, succeeded, failed } => {
                out.retain(|(_, until)| now < *until);
                let place = out.len() as u32 + *succeeded + *failed < probes;
                if place {
                    out.push((call.id, now + self.settings.probe_timeout));
                }
                place
            }
        };
        self.next += 1;
        self.refused += u64::from(!passes);
        passes.then_some(call)
    }

    /// `None`: cancelled. `opened` is when the real one says that it probes next, which chance decides.
    fn end(&mut self, call: Call, failed: Option<bool>, asked: u64, opened: Option<Duration>) {
        let slow_call_threshold =
            self.settings.slow_call_threshold.is_some_and(|limit| self.now >= call.started + limit);
        let failed = if slow_call_threshold { Some(true) } else { failed };
        if call.generation != self.generation {
            return;
        }
        let (ratio, probes) = (self.settings.ratio, self.settings.probes.get());
        // Where no ratio is set, any is too much.
        let part = ratio.map_or(0.0, Ratio::get);
        let reached = |some: u64, whole: u64| some > 0 && some as f64 >= part * whole as f64;
        match &mut self.state {
            Naive::Closed | Naive::Forced(false) => {
                let Some(failed) = failed else { return };
                // And without one nothing is counted but failures in a row.
                if ratio.is_some() {
                    self.results.push_back((self.now, failed));
                }
                self.consecutive = if failed { self.consecutive + 1 } else { 0 };
                let (calls, failures) = self.counts();
                let many = calls >= self.settings.min_calls.into() && reached(failures, calls);
                let row = self.settings.consecutive.is_some_and(|n| self.consecutive >= n.get());
                let nothing = self.streak().is_some_and(|n| n >= self.settings.min_calls);
                let in_window = ratio.is_some() && (many || nothing);
                if failed && (in_window || row) && matches!(self.state, Naive::Closed) {
                    self.reopened = 0;
                    self.refused = 0;
                    self.open(asked, opened);
                }
            }
            Naive::HalfOpen { out, succeeded, failed: failures } => {
                out.retain(|(id, _)| *id != call.id);
                match failed {
                    None => {}
                    Some(false) => {
                        *succeeded += 1;
                        if !reached((probes - *succeeded).into(), probes.into()) {
                            self.go(Naive::Closed);
                        }
                    }
                    Some(true) => {
                        *failures += 1;
                        if reached((*failures).into(), probes.into()) {
                            self.reopened += 1;
                            self.open(asked, opened);
                        }
                    }
                }
            }
            Naive::Open { .. } | Naive::Forced(true) => unreachable!("of an earlier generation"),
        }
    }

    fn open(&mut self, asked: u64, opened: Option<Duration>) {
        let grown = self.settings.open_duration.as_secs_f64() * 1.5_f64.powf(self.reopened.into());
        let max_open_duration = self.settings.max_open_duration.max(self.settings.open_duration);
        let most = grown.min(max_open_duration.as_secs_f64());
        let asked = (asked as f64).min(self.settings.max_retry_after.as_secs_f64());
        let wait = opened.expect("the real one has opened too").as_secs_f64();
        let (least, most) = ((most * 0.8).max(asked), most.max(asked));
        assert!(wait >= least - 1e-6 && wait <= most + 1e-6, "{least} <= {wait} <= {most}");
        self.go(Naive::Open { until: self.now + opened.unwrap() });
    }

    /// Failures at the end of all results, if they have gone on for a piece of the window, without a longer silence.
    fn streak(&self) -> Option<u32> {
        let (bucket_width, mut began, mut failures) = (self.settings.bucket_width, self.now, 0);
        for (at, failed) in self.results.iter().rev() {
            if !failed || began.saturating_sub(*at) > bucket_width {
                break;
            }
            (began, failures) = (*at, failures + 1);
        }
        (self.now.saturating_sub(began) >= bucket_width).then_some(failures)
    }

    fn counts(&self) -> (u64, u64) {
        if let Naive::HalfOpen { succeeded, failed, .. } = &self.state {
            return ((succeeded + failed).into(), (*failed).into());
        }
        let bucket_width = self.settings.bucket_width.as_nanos();
        let piece = |at: Duration| (at.as_nanos() / bucket_width) as u64;
        let recent = |(at, _): &&(Duration, bool)| piece(*at) + BUCKETS > piece(self.now);
        let results = self.results.iter().filter(recent);
        let failures = results.clone().filter(|(_, failed)| *failed).count();
        (results.count() as u64, failures as u64)
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let quarters = prop::option::weighted(0.7, 0_u8..=4);
    let counts = (quarters, 0_u32..8, 1_u32..5, prop::option::of(1_u32..4));
    let times = (50_u64..3_000, 1_u64..3_000, 1_u64..9_000, 100_u64..5_000);
    (counts, times, prop::option::of(1_u64..800)).prop_map(
        |(counts, times, slow_call_threshold)| {
            let (quarters, min_calls, probes, consecutive) = counts;
            let (window, open_duration, max_open_duration, probe_timeout) = times;
            let ms = Duration::from_millis;
            let mut settings = Settings {
                ratio: quarters.map(|quarters| Ratio::percent(quarters * 25)),
                min_calls,
                probes: NonZeroU32::new(probes).unwrap(),
                consecutive: consecutive.and_then(NonZeroU32::new),
                open_duration: ms(open_duration),
                max_open_duration: ms(max_open_duration),
                probe_timeout: ms(probe_timeout),
                slow_call_threshold: slow_call_threshold.map(ms),
                ..Settings::default()
            };
            settings.set_window(ms(window));
            settings
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<usize>();
    prop_oneof![
        8 => Just(Step::Call),
        4 => which.prop_map(Step::Succeed),
        6 => (which, prop_oneof![4 => Just(0), 1 => 0_u64..60])
            .prop_map(|(which, asked)| Step::Fail(which, asked)),
        1 => which.prop_map(Step::Cancel),
        4 => (0_u64..700).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        1 => (0_u64..10_000).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        1 => (0_u64..30).prop_map(|days| Step::Pass(Duration::from_secs(days * 86_400))),
        1 => any::<bool>().prop_map(Step::Force),
        1 => Just(Step::Release),
    ]
}

async fn compare(settings: Settings, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let settings = Arc::new(settings);
    let circuit = ShardedArc::new(CircuitInner::new(None, Arc::clone(&settings), Instant::now()));
    let handle = Circuit::new(circuit.clone());
    let mut model = Model {
        settings,
        now: Duration::ZERO,
        state: Naive::Closed,
        generation: 0,
        results: VecDeque::new(),
        consecutive: 0,
        reopened: 0,
        refused: 0,
        next: 0,
    };
    let mut calls: Vec<(Permit, Call)> = Vec::new();
    for step in steps {
        let mut take = |which: usize| {
            let at = which.checked_rem(calls.len());
            at.map(|at| calls.swap_remove(at))
        };
        match step {
            Step::Call => {
                let real = Permit::acquire(circuit.clone()).ok().flatten();
                let naive = model.admit();
                prop_assert_eq!(real.is_some(), naive.is_some());
                calls.extend(real.zip(naive));
            }
            Step::Succeed(which) => {
                if let Some((mut permit, call)) = take(which) {
                    permit.on_complete();
                    drop(permit);
                    model.end(call, Some(false), 0, handle.snapshot().next_probe());
                }
            }
            Step::Fail(which, asked) => {
                if let Some((mut permit, call)) = take(which) {
                    let wait = Some(Duration::from_secs(asked));
                    let failure = Failure::new(Cause::ConnectionRefused).with_retry_after(wait);
                    permit.failed(Some(failure));
                    drop(permit);
                    model.end(call, Some(true), asked, handle.snapshot().next_probe());
                }
            }
            Step::Cancel(which) => {
                if let Some((permit, call)) = take(which) {
                    drop(permit);
                    model.end(call, None, 0, handle.snapshot().next_probe());
                }
            }
            Step::Pass(time) => {
                tokio::time::advance(time).await;
                model.now += time;
            }
            Step::Force(open) => {
                if open {
                    handle.force_open();
                } else {
                    handle.force_closed();
                }
                if !matches!(model.state, Naive::Forced(is_open) if is_open == open) {
                    model.reopened = 0;
                    model.refused = 0;
                    model.go(Naive::Forced(open));
                }
            }
            Step::Release => {
                handle.release();
                if matches!(model.state, Naive::Forced(_)) {
                    model.go(Naive::Closed);
                }
            }
        }
        let snapshot = handle.snapshot();
        prop_assert_eq!(snapshot.state(), model.state());
        prop_assert_eq!(snapshot.rejected(), model.refused);
        let expected = model.counts();
        prop_assert_eq!((snapshot.calls(), snapshot.failures()), expected);
    }
    Ok(())
}

fn agree(settings: Settings, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(compare(settings, steps))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_circuit_agrees_with_a_naive_one_at_every_step(
        settings in settings(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        agree(settings, steps)?;
    }
}

proptest! {
    #[test]
    fn they_agree_when_nothing_succeeds(
        settings in settings(),
        // In hundredths of a piece of the window.
        pauses in prop::collection::vec(0_u32..120, 1..20),
    ) {
        let settings = Settings { consecutive: None, ..settings };
        let pause = |hundredths| Step::Pass(settings.bucket_width * hundredths / 100);
        let fail = |hundredths| [Step::Call, Step::Fail(0, 0), pause(hundredths)];
        let steps = pauses.into_iter().flat_map(fail).collect();
        agree(settings, steps)?;
    }
}
