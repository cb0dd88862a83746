//! The metrics of a run.

use std::time::Duration;

use serde::Serialize;

use crate::{
    run::{Call, Run},
    scenario::{DURATION_SECS, Scenario},
    stack::CALL_TIMEOUT,
};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Metrics {
    pub(crate) calls: usize,
    /// The fraction of calls with a response in time.
    pub(crate) success_rate: f64,
    pub(crate) failed: usize,
    /// The success rate of calls that started during the fault.
    pub(crate) fault_success_rate: f64,
    /// The responses in time, per second of the fault.
    pub(crate) goodput: f64,
    /// The goodput divided by the upstream's capacity, if that is below the offered load.
    pub(crate) capacity_ratio: Option<f64>,
    /// The requests to the upstream per call, during the fault.
    pub(crate) fault_load: f64,
    /// The requests to the upstream per call, in the whole run.
    pub(crate) load: f64,
    /// The requests to the upstream per call, in the worst second.
    pub(crate) max_load: f64,
    /// The latency of responses, including late ones.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// The time from the end of the fault until 99 % of calls succeed for five seconds. `None` if
    /// this does not happen.
    pub(crate) recovery_s: Option<f64>,
    /// The fraction of the responses that came too late or whose caller had gone.
    pub(crate) wasted_ratio: f64,
    /// The maximum wait of a caller.
    pub(crate) max_wait_s: f64,
    pub(crate) max_in_flight: usize,
    /// The number of requests that were sent before the `Retry-After` of their call had passed.
    pub(crate) early_requests: u64,
    /// The calls started, per second.
    pub(crate) offered: Vec<u32>,
    /// The responses in time, per second.
    pub(crate) successes: Vec<u32>,
    /// The requests to the upstream, per second.
    pub(crate) requests: Vec<u32>,
}

impl Metrics {
    pub(crate) fn from_run(run: &Run, scenario: &Scenario) -> Self {
        let Run { calls, stats } = run;
        let offered = count_per_second(calls.iter().map(|call| call.start));
        let successes = count_per_second(calls.iter().filter_map(Call::succeeded_at));
        let succeeded = calls.iter().filter(|call| call.succeeded_at().is_some()).count();
        let fault = scenario.fault_seconds();
        let sum_in_fault = |series: &[u32]| {
            let seconds = fault.start as usize..(fault.end as usize).min(series.len());
            series[seconds].iter().map(|&count| f64::from(count)).sum::<f64>()
        };
        let goodput = sum_in_fault(&successes) / (fault.end - fault.start) as f64;
        let busy_seconds =
            offered.iter().zip(&stats.requests).filter(|(offered, _)| **offered >= 100);
        let served: u64 = stats.served.iter().map(|&count| u64::from(count)).sum();
        let mut latencies: Vec<Duration> = calls.iter().filter_map(Call::latency).collect();
        latencies.sort_unstable();
        let late = latencies.len() - succeeded;
        let sum = |series: &[u32]| series.iter().map(|&count| f64::from(count)).sum::<f64>();
        Self {
            calls: calls.len(),
            success_rate: success_rate(calls.iter()),
            failed: calls.len() - succeeded,
            fault_success_rate: success_rate(
                calls.iter().filter(|call| fault.contains(&call.start.as_secs())),
            ),
            goodput,
            capacity_ratio: scenario.capacity().map(|capacity| goodput / capacity),
            fault_load: sum_in_fault(&stats.requests) / sum_in_fault(&offered).max(1.0),
            load: sum(&stats.requests) / calls.len().max(1) as f64,
            max_load: busy_seconds
                .map(|(&offered, &requests)| f64::from(requests) / f64::from(offered))
                .fold(0.0, f64::max),
            p50_ms: percentile(&latencies, 0.5),
            p99_ms: percentile(&latencies, 0.99),
            recovery_s: scenario.recovers().then(|| recovery_secs(calls, fault.end)).flatten(),
            wasted_ratio: (stats.abandoned + late as u64) as f64 / served.max(1) as f64,
            max_wait_s: calls.iter().map(Call::wait).max().unwrap_or_default().as_secs_f64(),
            max_in_flight: stats.max_in_flight,
            early_requests: stats.early_requests,
            offered,
            successes,
            requests: stats.requests[..DURATION_SECS as usize].to_vec(),
        }
    }
}

impl Call {
    /// Returns the time of the response, if it came within the call timeout.
    fn succeeded_at(&self) -> Option<Duration> {
        let latency = self.latency().filter(|latency| *latency <= CALL_TIMEOUT)?;
        Some(self.start + latency)
    }

    fn latency(&self) -> Option<Duration> {
        self.outcome.filter(|outcome| outcome.is_ok).map(|outcome| outcome.duration)
    }

    fn wait(&self) -> Duration {
        match self.outcome {
            Some(outcome) => outcome.duration,
            None => Duration::from_secs(DURATION_SECS).saturating_sub(self.start),
        }
    }
}

fn success_rate<'a>(calls: impl Iterator<Item = &'a Call>) -> f64 {
    let (mut total, mut succeeded) = (0_u32, 0_u32);
    for call in calls {
        total += 1;
        succeeded += u32::from(call.succeeded_at().is_some());
    }
    f64::from(succeeded) / f64::from(total.max(1))
}

fn count_per_second(times: impl Iterator<Item = Duration>) -> Vec<u32> {
    let mut series = vec![0; DURATION_SECS as usize];
    for time in times {
        if let Some(count) = series.get_mut(time.as_secs() as usize) {
            *count += 1;
        }
    }
    series
}

fn percentile(sorted: &[Duration], quantile: f64) -> f64 {
    let index = ((sorted.len() as f64 * quantile).ceil() as usize).saturating_sub(1);
    sorted.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
}

const STEPS_PER_SEC: u64 = 10;
/// The number of steps in which 99 % of calls must succeed: five seconds.
const STABLE_STEPS: usize = 50;

/// Returns the time from the end of the fault until calls succeed, see [`Metrics::recovery_s`].
fn recovery_secs(calls: &[Call], fault_end: u64) -> Option<f64> {
    let steps = ((DURATION_SECS - fault_end) * STEPS_PER_SEC) as usize;
    let (mut total, mut succeeded) = (vec![0_u32; steps], vec![0_u32; steps]);
    for call in calls {
        let Some(since_fault) = call.start.checked_sub(Duration::from_secs(fault_end)) else {
            continue;
        };
        let step = (since_fault.as_millis() as u64 * STEPS_PER_SEC / 1_000) as usize;
        total[step] += 1;
        succeeded[step] += u32::from(call.succeeded_at().is_some());
    }
    let is_stable = |first: usize| {
        let total: u32 = total[first..first + STABLE_STEPS].iter().sum();
        let succeeded: u32 = succeeded[first..first + STABLE_STEPS].iter().sum();
        f64::from(succeeded) >= 0.99 * f64::from(total)
    };
    (0..=steps - STABLE_STEPS)
        .find(|&step| is_stable(step))
        .map(|step| step as f64 / STEPS_PER_SEC as f64)
}
