//! What the upstream remembers of the requests it met.

use std::{collections::HashMap, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Gamma};
use tokio::time::Instant;

use super::Caller;
use crate::scenario::Moment;

/// How long a request takes on average. With the number of workers that is its capacity: 1,600 requests a second.
const TAKES: Duration = Duration::from_millis(40);
/// The shape of a Gamma distribution: the slowest of a hundred takes two and a half times the average.
const SHAPE: f64 = 4.0;

pub(super) struct Seen {
    pub(super) random: StdRng,
    takes: Gamma<f64>,
    pub(super) moment: Moment,
    /// By the second.
    pub(super) requests: Vec<u32>,
    pub(super) most_under_way: usize,
    /// When callers that were told to wait may come again.
    not_before: HashMap<usize, Instant>,
    pub(super) too_early: u64,
}

impl Seen {
    pub(super) fn new(seconds: usize, seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            takes: Gamma::new(SHAPE, TAKES.as_secs_f64() / SHAPE).expect("both above zero"),
            moment: Moment { now: Duration::ZERO, in_second: 0 },
            requests: vec![0; seconds],
            most_under_way: 0,
            not_before: HashMap::new(),
            too_early: 0,
        }
    }

    pub(super) fn request(&mut self, caller: Option<Caller>, now: Duration, under_way: usize) {
        let is_new = now.as_secs() != self.moment.now.as_secs();
        let before = if is_new { 0 } else { self.moment.in_second };
        self.moment = Moment { now, in_second: before + 1 };
        if let Some(requests) = self.requests.get_mut(now.as_secs() as usize) {
            *requests += 1;
        }
        let allowed = caller.and_then(|caller| self.not_before.remove(&caller.0));
        self.too_early += u64::from(allowed.is_some_and(|allowed| Instant::now() < allowed));
        self.most_under_way = self.most_under_way.max(under_way);
    }

    pub(super) fn told_to_wait(&mut self, caller: Caller, wait: Duration) {
        self.not_before.insert(caller.0, Instant::now() + wait);
    }

    /// How long working on a request takes: in whole milliseconds, since the clock of tokio tells no others apart.
    pub(super) fn takes(&mut self) -> Duration {
        let takes = (self.takes.sample(&mut self.random) * 1e3).round().max(1.0);
        Duration::from_millis(takes as u64)
    }
}
