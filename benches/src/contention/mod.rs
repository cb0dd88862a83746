//! The cost of a call while several threads use the same layer.
//!
//! Threads contend only while they run at the same time, so each run must prove that they did:
//!
//! - Each thread is pinned to its own core and starts after a token has passed all threads 50
//!   times.
//! - A run is short. It counts only if no thread was preempted and all threads started within 30
//!   µs.
//! - In each round, every combination of row, mode and number of threads runs once, in shuffled
//!   order.
//! - Probes with known contention run in the same rounds: see `probe.rs`. Only rows of one run can
//!   be compared, because the distance between two virtual cores changes from run to run.
//!
//! Threads preempt each other if they outnumber the cores. Such a run counts if its threads
//! together kept all cores busy. Its time is CPU time.

mod probe;
mod rows;
mod threads;

use std::fmt::{self, Debug};

use core_affinity::CoreId;
use http::Response;
use http_body::Body;
use tower::Service;

pub use self::rows::{ONE_ARC, breakers, pending_stacks, stacks};
use self::threads::Setup;
use crate::cases::HttpRequest;

/// How the threads share a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each thread has its own clone.
    Own,
    /// Each thread clones its service for each call, as `client.clone().oneshot(request)` does.
    Cloned,
}

impl Mode {
    pub const ALL: [Self; 2] = [Self::Own, Self::Cloned];
}

/// The numbers of threads to measure.
pub const THREADS: [usize; 3] = [1, 2, 4];

/// The role of a row in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Bare,
    Probe,
    /// A seawall service that is compared with the peers.
    Seawall,
    /// A seawall service without a peer in the table.
    Unpaired,
    Peer,
}

/// One row of the table.
pub struct Row {
    pub name: String,
    pub role: Role,
    oversubscribes: bool,
    run: Box<Run>,
}

/// Returns the nanoseconds of a call, or `None` if the run does not count.
type Run = dyn Fn(&Setup<'_>) -> Option<f64>;

/// Nanoseconds of a call, one value per counted run.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

/// The times of one row by mode and number of threads, in the order of [`Mode::ALL`] and
/// [`THREADS`].
pub type RowTimes = [[Times; THREADS.len()]; Mode::ALL.len()];

/// The result of [`measure`].
#[derive(Clone, Debug)]
pub struct Measured {
    pub rows: Vec<RowTimes>,
    pub runs: usize,
    pub counted: usize,
}

/// The maximum number of attempts to get a counted run of one combination in one round.
const MAX_TRIES: usize = 20;

/// Measures each row in each mode and with each number of threads.
#[must_use]
pub fn measure(rows: &[Row], rounds: usize) -> Measured {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let mut order = combinations(rows, &cores);
    let mut random = fastrand::Rng::with_seed(0);
    let mut measured =
        Measured { rows: vec![RowTimes::default(); rows.len()], runs: 0, counted: 0 };
    for round in 0..rounds {
        random.shuffle(&mut order);
        for &(row, mode, threads) in &order {
            let setup = Setup {
                threads: THREADS[threads],
                mode: Mode::ALL[mode],
                cores: &cores,
                first_core: round,
            };
            for _ in 0..MAX_TRIES {
                measured.runs += 1;
                if let Some(time) = (rows[row].run)(&setup) {
                    measured.counted += 1;
                    measured.rows[row][mode][threads].0.push(time);
                    break;
                }
            }
        }
    }
    measured
}

/// Returns the indices of row, mode and number of threads of all combinations.
fn combinations(rows: &[Row], cores: &[CoreId]) -> Vec<(usize, usize, usize)> {
    let mut all = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        for mode in 0..Mode::ALL.len() {
            for (threads_index, threads) in THREADS.into_iter().enumerate() {
                if threads <= cores.len() || row.oversubscribes {
                    all.push((index, mode, threads_index));
                }
            }
        }
    }
    all
}

impl Times {
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    #[must_use]
    pub fn lower_quartile(&self) -> Option<f64> {
        self.quantile(0.25)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn quantile(&self, quantile: f64) -> Option<f64> {
        let mut times = self.0.clone();
        times.sort_by(f64::total_cmp);
        times.get((times.len() as f64 * quantile) as usize).copied()
    }
}

impl Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Row {
    fn new<S, B>(name: &str, role: Role, service: S) -> Self
    where
        S: Service<HttpRequest, Response = Response<B>, Error: Debug> + Clone + Send + 'static,
        B: Body,
    {
        Self::with_keys(name, role, 1, service)
    }

    /// Sends the requests to `keys` authorities in turn.
    fn with_keys<S, B>(name: &str, role: Role, keys: usize, service: S) -> Self
    where
        S: Service<HttpRequest, Response = Response<B>, Error: Debug> + Clone + Send + 'static,
        B: Body,
    {
        Self {
            name: name.to_owned(),
            role,
            oversubscribes: true,
            run: Box::new(move |setup| threads::run(&service, keys, setup)),
        }
    }

    /// Omits runs with more threads than cores, which never end.
    ///
    /// tower-resilience's breaker has a fair tokio `Mutex`. It passes the lock to a thread that
    /// waits for a core, while the other threads keep all cores busy by polling.
    fn without_oversubscription(mut self) -> Self {
        self.oversubscribes = false;
        self
    }
}
