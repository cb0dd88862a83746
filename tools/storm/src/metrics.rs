//! What a storm comes down to.

use std::time::Duration;

use serde::Serialize;

use crate::{
    run::{Call, Storm},
    scenario::{LENGTH, Scenario},
    stack::TOTAL,
};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) calls: usize,
    /// Calls that had an answer in time, of all.
    pub(crate) success: f64,
    pub(crate) failed: usize,
    /// The same of those that began while the fault lasted.
    pub(crate) success_in_fault: f64,
    /// Answers in time, per second of the fault.
    pub(crate) goodput: f64,
    /// The same as a part of what the upstream could have done, where that is less than what is asked of it.
    pub(crate) of_capacity: Option<f64>,
    /// Requests that the upstream got for each call: while the fault lasts, over the whole storm, and in the worst second.
    pub(crate) load_in_fault: f64,
    pub(crate) load: f64,
    pub(crate) load_worst: f64,
    /// Of answers, those that came too late included.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// From healing until 99 of 100 calls succeed, for five seconds. `None`: not before the storm ends.
    pub(crate) recovery_s: Option<f64>,
    /// What the upstream worked on in vain, of all it worked on.
    pub(crate) wasted: f64,
    /// The longest that a caller waited.
    pub(crate) longest_s: f64,
    pub(crate) most_under_way: usize,
    pub(crate) too_early: u64,
    /// By the second: calls that began, answers in time that came, requests that the upstream got.
    pub(crate) offered: Vec<u32>,
    pub(crate) answered: Vec<u32>,
    pub(crate) requests: Vec<u32>,
}

impl Figures {
    pub(crate) fn of(storm: &Storm, scenario: &Scenario) -> Self {
        let Storm { calls, sight } = storm;
        let offered = by_second(calls.iter().map(|call| call.began));
        let answered = by_second(calls.iter().filter_map(Call::in_time));
        let good = calls.iter().filter(|call| call.in_time().is_some()).count();
        let fault = scenario.fault();
        let during = |series: &[u32]| {
            let seconds = fault.start as usize..(fault.end as usize).min(series.len());
            series[seconds].iter().map(|&count| f64::from(count)).sum::<f64>()
        };
        let goodput = during(&answered) / (fault.end - fault.start) as f64;
        let worst = offered.iter().zip(&sight.requests).filter(|(offered, _)| **offered >= 100);
        let served: u64 = sight.served.iter().map(|&count| u64::from(count)).sum();
        let mut took: Vec<Duration> = calls.iter().filter_map(Call::answer).collect();
        took.sort_unstable();
        let late = took.len() - good;
        let whole = |series: &[u32]| series.iter().map(|&count| f64::from(count)).sum::<f64>();
        Self {
            calls: calls.len(),
            success: success(calls.iter()),
            failed: calls.len() - good,
            success_in_fault: success(
                calls.iter().filter(|call| fault.contains(&call.began.as_secs())),
            ),
            goodput,
            of_capacity: scenario.capacity().map(|capacity| goodput / capacity),
            load_in_fault: during(&sight.requests) / during(&offered).max(1.0),
            load: whole(&sight.requests) / calls.len().max(1) as f64,
            load_worst: worst
                .map(|(&offered, &requests)| f64::from(requests) / f64::from(offered))
                .fold(0.0, f64::max),
            p50_ms: percentile(&took, 0.5),
            p99_ms: percentile(&took, 0.99),
            recovery_s: scenario.heals().then(|| recovery(calls, fault.end)).flatten(),
            wasted: (sight.abandoned + late as u64) as f64 / served.max(1) as f64,
            longest_s: calls.iter().map(Call::waited).max().unwrap_or_default().as_secs_f64(),
            most_under_way: sight.most_under_way,
            too_early: sight.too_early,
            offered,
            answered,
            requests: sight.requests[..LENGTH as usize].to_vec(),
        }
    }
}

impl Call {
    /// When its answer came, if it did and was still of use.
    fn in_time(&self) -> Option<Duration> {
        let took = self.answer().filter(|took| *took <= TOTAL)?;
        Some(self.began + took)
    }

    fn answer(&self) -> Option<Duration> {
        self.end.filter(|end| end.answered).map(|end| end.took)
    }

    fn waited(&self) -> Duration {
        match self.end {
            Some(end) => end.took,
            None => Duration::from_secs(LENGTH).saturating_sub(self.began),
        }
    }
}

fn success<'a>(calls: impl Iterator<Item = &'a Call>) -> f64 {
    let (mut all, mut good) = (0_u32, 0_u32);
    for call in calls {
        all += 1;
        good += u32::from(call.in_time().is_some());
    }
    f64::from(good) / f64::from(all.max(1))
}

fn by_second(times: impl Iterator<Item = Duration>) -> Vec<u32> {
    let mut series = vec![0; LENGTH as usize];
    for time in times {
        if let Some(count) = series.get_mut(time.as_secs() as usize) {
            *count += 1;
        }
    }
    series
}

fn percentile(sorted: &[Duration], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part).ceil() as usize).saturating_sub(1);
    sorted.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}

/// In steps of a tenth of a second.
const STEPS: u64 = 10;
/// For so many of them, 99 of 100 calls have to succeed.
const LASTING: usize = 50;

fn recovery(calls: &[Call], healed: u64) -> Option<f64> {
    let steps = ((LENGTH - healed) * STEPS) as usize;
    let (mut all, mut good) = (vec![0_u32; steps], vec![0_u32; steps]);
    for call in calls {
        let Some(since) = call.began.checked_sub(Duration::from_secs(healed)) else { continue };
        let step = (since.as_millis() as u64 * STEPS / 1_000) as usize;
        all[step] += 1;
        good[step] += u32::from(call.in_time().is_some());
    }
    let is_well = |at: usize| {
        let (all, good): (u32, u32) =
            (all[at..at + LASTING].iter().sum(), good[at..at + LASTING].iter().sum());
        f64::from(good) >= 0.99 * f64::from(all)
    };
    (0..=steps - LASTING).find(|&at| is_well(at)).map(|at| at as f64 / STEPS as f64)
}
