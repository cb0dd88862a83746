//! The statistics of the upstream, and the random numbers of its requests.

use std::{collections::HashMap, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Gamma};
use tokio::time::Instant;

use super::CallId;
use crate::scenario::RequestArrival;

/// The mean time to serve a request. With 64 workers, the capacity is 1,600 requests per second.
const MEAN_SERVICE_TIME: Duration = Duration::from_millis(40);
/// The shape of the Gamma distribution. The 99th percentile is 2.5 times the mean.
const GAMMA_SHAPE: f64 = 4.0;

pub(super) struct StatsRecorder {
    pub(super) rng: StdRng,
    service_time: Gamma<f64>,
    pub(super) arrival: RequestArrival,
    /// The requests received, per second.
    pub(super) requests: Vec<u32>,
    pub(super) max_in_flight: usize,
    /// The time before which a call should not be retried.
    retry_not_before: HashMap<usize, Instant>,
    pub(super) early_requests: u64,
}

impl StatsRecorder {
    pub(super) fn new(seconds: usize, seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            service_time: Gamma::new(GAMMA_SHAPE, MEAN_SERVICE_TIME.as_secs_f64() / GAMMA_SHAPE)
                .expect("shape and scale above zero"),
            arrival: RequestArrival { now: Duration::ZERO, requests_in_second: 0 },
            requests: vec![0; seconds],
            max_in_flight: 0,
            retry_not_before: HashMap::new(),
            early_requests: 0,
        }
    }

    pub(super) fn record_request(&mut self, call: Option<CallId>, now: Duration, in_flight: usize) {
        let is_new_second = now.as_secs() != self.arrival.now.as_secs();
        let previous = if is_new_second { 0 } else { self.arrival.requests_in_second };
        self.arrival = RequestArrival { now, requests_in_second: previous + 1 };
        if let Some(requests) = self.requests.get_mut(now.as_secs() as usize) {
            *requests += 1;
        }
        let not_before = call.and_then(|call| self.retry_not_before.remove(&call.0));
        self.early_requests += u64::from(not_before.is_some_and(|time| Instant::now() < time));
        self.max_in_flight = self.max_in_flight.max(in_flight);
    }

    pub(super) fn record_retry_after(&mut self, call: CallId, wait: Duration) {
        self.retry_not_before.insert(call.0, Instant::now() + wait);
    }

    /// Returns a random service time in whole milliseconds, the resolution of tokio's clock.
    pub(super) fn random_service_time(&mut self) -> Duration {
        let millis = (self.service_time.sample(&mut self.rng) * 1e3).round().max(1.0);
        Duration::from_millis(millis as u64)
    }
}
