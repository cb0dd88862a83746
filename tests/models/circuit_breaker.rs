//! Compares the circuit with a reference model: a list of results with their times, and a plain
//! enum.
//!
//! A module of `circuit_breaker`, included by path, since it uses private items.

use std::{collections::VecDeque, num::NonZeroU32, sync::Arc, time::Duration};

use proptest::prelude::*;
use seawall_core::{Cause, Failure, Ratio};
use tokio::time::Instant;

use super::{Circuit, State, circuit::CircuitInner, permit::Permit, settings::Settings};
use crate::{body::CompletionObserver, sharded_arc::ShardedArc};

const BUCKETS: u64 = 10;

/// A step that is applied to the circuit and to the model.
#[derive(Clone, Debug)]
enum Step {
    Call,
    /// Ends a call in flight, if there is one, with a success. The index selects the call.
    Succeed(usize),
    /// Ends a call with a failure that has a `Retry-After` of this number of seconds.
    Fail(usize, u64),
    /// Drops a call without a result.
    Cancel(usize),
    Advance(Duration),
    /// Forces the circuit open if `true`, closed otherwise.
    Force(bool),
    Release,
}

#[derive(Debug)]
enum ModelState {
    Closed,
    Open {
        until: Duration,
    },
    /// `in_flight` holds the probes: the call and the time at which its slot expires.
    HalfOpen {
        in_flight: Vec<(u64, Duration)>,
        succeeded: u32,
        failed: u32,
    },
    Forced(bool),
}

struct Model {
    settings: Arc<Settings>,
    now: Duration,
    state: ModelState,
    generation: u64,
    results: VecDeque<(Duration, bool)>,
    consecutive: u32,
    reopened: u32,
    rejected: u64,
    next_id: u64,
}

/// A call in flight in the model.
#[derive(Clone, Copy)]
struct Call {
    id: u64,
    generation: u64,
    started: Duration,
}

impl Model {
    fn state(&self) -> State {
        match self.state {
            ModelState::Closed => State::Closed,
            ModelState::Open { .. } => State::Open,
            ModelState::HalfOpen { .. } => State::HalfOpen,
            ModelState::Forced(true) => State::ForcedOpen,
            ModelState::Forced(false) => State::ForcedClosed,
        }
    }

    fn transition(&mut self, state: ModelState) {
        self.state = state;
        self.generation += 1;
        self.results.clear();
        self.consecutive = 0;
    }

    fn admit(&mut self) -> Option<Call> {
        if matches!(self.state, ModelState::Open { until } if self.now >= until) {
            self.transition(ModelState::HalfOpen {
                in_flight: Vec::new(),
                succeeded: 0,
                failed: 0,
            });
        }
        let call = Call { id: self.next_id, generation: self.generation, started: self.now };
        let (now, probes) = (self.now, self.settings.half_open_probes.get());
        let admitted = match &mut self.state {
            ModelState::Closed | ModelState::Forced(false) => true,
            ModelState::Open { .. } | ModelState::Forced(true) => false,
            ModelState::HalfOpen { in_flight, succeeded, failed } => {
                in_flight.retain(|(_, expires)| now < *expires);
                let has_free_slot = in_flight.len() as u32 + *succeeded + *failed < probes;
                if has_free_slot {
                    in_flight.push((call.id, now + self.settings.probe_timeout));
                }
                has_free_slot
            }
        };
        self.next_id += 1;
        self.rejected += u64::from(!admitted);
        admitted.then_some(call)
    }

    /// Ends `call`. It was cancelled if `failed` is `None`. `next_probe` is the time until the next
    /// probe of the real circuit, which includes jitter.
    fn end(
        &mut self,
        call: Call,
        failed: Option<bool>,
        retry_after: u64,
        next_probe: Option<Duration>,
    ) {
        let is_slow =
            self.settings.slow_call_threshold.is_some_and(|limit| self.now >= call.started + limit);
        let failed = if is_slow { Some(true) } else { failed };
        if call.generation != self.generation {
            return;
        }
        let (ratio, probes) = (self.settings.failure_ratio, self.settings.half_open_probes.get());
        // Without a ratio, one failed probe is too many.
        let max_ratio = ratio.map_or(0.0, Ratio::get);
        let is_reached =
            |failures: u64, calls: u64| failures > 0 && failures as f64 >= max_ratio * calls as f64;
        match &mut self.state {
            ModelState::Closed | ModelState::Forced(false) => {
                let Some(failed) = failed else { return };
                // Without a ratio, only consecutive failures count.
                if ratio.is_some() {
                    self.results.push_back((self.now, failed));
                }
                self.consecutive = if failed { self.consecutive + 1 } else { 0 };
                let (calls, failures) = self.counts();
                let too_many =
                    calls >= self.settings.min_calls.into() && is_reached(failures, calls);
                let too_many_consecutive = self
                    .settings
                    .consecutive_failures
                    .is_some_and(|max| self.consecutive >= max.get());
                let all_failed =
                    self.streak().is_some_and(|failures| failures >= self.settings.min_calls);
                let trips = too_many_consecutive || ratio.is_some() && (too_many || all_failed);
                if failed && trips && matches!(self.state, ModelState::Closed) {
                    self.reopened = 0;
                    self.rejected = 0;
                    self.open(retry_after, next_probe);
                }
            }
            ModelState::HalfOpen { in_flight, succeeded, failed: failures } => {
                in_flight.retain(|(id, _)| *id != call.id);
                match failed {
                    None => {}
                    Some(false) => {
                        *succeeded += 1;
                        if !is_reached((probes - *succeeded).into(), probes.into()) {
                            self.transition(ModelState::Closed);
                        }
                    }
                    Some(true) => {
                        *failures += 1;
                        if is_reached((*failures).into(), probes.into()) {
                            self.reopened += 1;
                            self.open(retry_after, next_probe);
                        }
                    }
                }
            }
            ModelState::Open { .. } | ModelState::Forced(true) => {
                unreachable!("the call is of an earlier generation")
            }
        }
    }

    fn open(&mut self, retry_after: u64, next_probe: Option<Duration>) {
        let next_probe = next_probe.expect("the circuit did not open");
        let open_duration = self.settings.open_duration.as_secs_f64();
        let max_open_duration =
            self.settings.max_open_duration.max(self.settings.open_duration).as_secs_f64();
        let grown = (open_duration * 1.5_f64.powf(self.reopened.into())).min(max_open_duration);
        let retry_after = (retry_after as f64).min(self.settings.max_retry_after.as_secs_f64());
        let (min, max) = ((grown * 0.8).max(retry_after), grown.max(retry_after));
        let wait = next_probe.as_secs_f64();
        assert!(
            wait >= min - 1e-6 && wait <= max + 1e-6,
            "expected an open duration from {min} to {max} s, found {wait} s"
        );
        self.transition(ModelState::Open { until: self.now + next_probe });
    }

    /// Returns the number of failures since the last success or pause, if they have lasted for a
    /// bucket. A pause is longer than a bucket.
    fn streak(&self) -> Option<u32> {
        let (bucket_width, mut since, mut failures) = (self.settings.bucket_width, self.now, 0);
        for (at, failed) in self.results.iter().rev() {
            if !failed || since.saturating_sub(*at) > bucket_width {
                break;
            }
            (since, failures) = (*at, failures + 1);
        }
        (self.now.saturating_sub(since) >= bucket_width).then_some(failures)
    }

    /// Returns the calls and failures in the window, or those of the probes.
    fn counts(&self) -> (u64, u64) {
        if let ModelState::HalfOpen { succeeded, failed, .. } = &self.state {
            return ((succeeded + failed).into(), (*failed).into());
        }
        let bucket_width = self.settings.bucket_width.as_nanos();
        let bucket = |at: Duration| (at.as_nanos() / bucket_width) as u64;
        let recent = |(at, _): &&(Duration, bool)| bucket(*at) + BUCKETS > bucket(self.now);
        let results = self.results.iter().filter(recent);
        let failures = results.clone().filter(|(_, failed)| *failed).count();
        (results.count() as u64, failures as u64)
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let ratio_quarters = prop::option::weighted(0.7, 0_u8..=4);
    let counts = (ratio_quarters, 0_u32..8, 1_u32..5, prop::option::of(1_u32..4));
    let times = (50_u64..3_000, 1_u64..3_000, 1_u64..9_000, 100_u64..5_000);
    (counts, times, prop::option::of(1_u64..800)).prop_map(
        |(counts, times, slow_call_threshold)| {
            let (ratio_quarters, min_calls, probes, consecutive) = counts;
            let (window, open_duration, max_open_duration, probe_timeout) = times;
            let ms = Duration::from_millis;
            let mut settings = Settings {
                failure_ratio: ratio_quarters
                    .map(|ratio_quarters| Ratio::percent(ratio_quarters * 25)),
                min_calls,
                half_open_probes: NonZeroU32::new(probes).unwrap(),
                consecutive_failures: consecutive.and_then(NonZeroU32::new),
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
    let index = any::<usize>();
    prop_oneof![
        8 => Just(Step::Call),
        4 => index.prop_map(Step::Succeed),
        6 => (index, prop_oneof![4 => Just(0), 1 => 0_u64..60])
            .prop_map(|(index, retry_after)| Step::Fail(index, retry_after)),
        1 => index.prop_map(Step::Cancel),
        4 => (0_u64..700).prop_map(|ms| Step::Advance(Duration::from_millis(ms))),
        1 => (0_u64..10_000).prop_map(|ms| Step::Advance(Duration::from_millis(ms))),
        1 => (0_u64..30).prop_map(|days| Step::Advance(Duration::from_secs(days * 86_400))),
        1 => any::<bool>().prop_map(Step::Force),
        1 => Just(Step::Release),
    ]
}

async fn compare(settings: Settings, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let settings = Arc::new(settings);
    let circuit = ShardedArc::new(CircuitInner::new(None, Arc::clone(&settings), Instant::now()));
    let handle = Circuit::of_key(circuit.clone());
    let mut model = Model {
        settings,
        now: Duration::ZERO,
        state: ModelState::Closed,
        generation: 0,
        results: VecDeque::new(),
        consecutive: 0,
        reopened: 0,
        rejected: 0,
        next_id: 0,
    };
    let mut calls: Vec<(Permit, Call)> = Vec::new();
    for step in steps {
        let mut take_call = |index: usize| {
            let index = index.checked_rem(calls.len());
            index.map(|index| calls.swap_remove(index))
        };
        match step {
            Step::Call => {
                let permit = Permit::acquire(circuit.clone()).ok().flatten();
                let call = model.admit();
                prop_assert_eq!(permit.is_some(), call.is_some());
                calls.extend(permit.zip(call));
            }
            Step::Succeed(index) => {
                if let Some((mut permit, call)) = take_call(index) {
                    permit.on_complete();
                    drop(permit);
                    model.end(call, Some(false), 0, handle.snapshot().next_probe());
                }
            }
            Step::Fail(index, retry_after) => {
                if let Some((mut permit, call)) = take_call(index) {
                    let failure = Failure::new(Cause::ConnectionRefused)
                        .with_retry_after(Some(Duration::from_secs(retry_after)));
                    permit.finish_with(Some(failure));
                    drop(permit);
                    model.end(call, Some(true), retry_after, handle.snapshot().next_probe());
                }
            }
            Step::Cancel(index) => {
                if let Some((permit, call)) = take_call(index) {
                    drop(permit);
                    model.end(call, None, 0, handle.snapshot().next_probe());
                }
            }
            Step::Advance(time) => {
                tokio::time::advance(time).await;
                model.now += time;
            }
            Step::Force(open) => {
                if open {
                    handle.force_open();
                } else {
                    handle.force_closed();
                }
                if !matches!(model.state, ModelState::Forced(is_open) if is_open == open) {
                    model.reopened = 0;
                    model.rejected = 0;
                    model.transition(ModelState::Forced(open));
                }
            }
            Step::Release => {
                handle.release();
                if matches!(model.state, ModelState::Forced(_)) {
                    model.transition(ModelState::Closed);
                }
            }
        }
        let snapshot = handle.snapshot();
        prop_assert_eq!(snapshot.state(), model.state());
        prop_assert_eq!(snapshot.rejected(), model.rejected);
        let expected = model.counts();
        prop_assert_eq!((snapshot.calls(), snapshot.failures()), expected);
    }
    Ok(())
}

fn check_agreement(settings: Settings, steps: Vec<Step>) -> Result<(), TestCaseError> {
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
    fn circuit_agrees_with_model_at_every_step(
        settings in settings(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        check_agreement(settings, steps)?;
    }
}

proptest! {
    #[test]
    fn circuit_agrees_with_model_when_every_call_fails(
        settings in settings(),
        // In hundredths of a bucket.
        pauses in prop::collection::vec(0_u32..120, 1..20),
    ) {
        let settings = Settings { consecutive_failures: None, ..settings };
        let pause = |hundredths| Step::Advance(settings.bucket_width * hundredths / 100);
        let fail = |hundredths| [Step::Call, Step::Fail(0, 0), pause(hundredths)];
        let steps = pauses.into_iter().flat_map(fail).collect();
        check_agreement(settings, steps)?;
    }
}
