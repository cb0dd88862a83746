//! Measurement of time and allocations.

use std::{env, process::Command};

#[allow(
    clippy::disallowed_types,
    reason = "a benchmark measures real time, and tokio's clock is slower to read"
)]
use std::time::Instant;

use allocation_counter::opt_out;
use benches::{Case, Runner, Subscriber, all as all_cases, runtime};

use crate::Result;

/// The number of calls of a case per round.
const BATCH: usize = 256;

/// The number of batches whose allocations are counted.
///
/// As many uncounted batches precede them, because maps grow and thread-locals are created once.
const COUNTED_BATCHES: usize = 4;

/// The measurements of a case.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) key: String,
    /// Nanoseconds per call, as the median of all rounds.
    pub(crate) ns: f64,
    /// The difference to the base in the same round, as the median of all rounds.
    pub(crate) ns_over: f64,
    /// The ratio to the base in the same round, as the median of all rounds.
    pub(crate) ratio: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    pub(crate) future: Option<usize>,
}

/// Measures every case, in one process per subscriber, because a process has only one.
pub(crate) fn all(rounds: usize) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for subscriber in Subscriber::ALL {
        let output = Command::new(env::current_exe()?)
            .args(["--rounds", &rounds.to_string()])
            .args(["--child", &subscriber.to_string()])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        for line in String::from_utf8(output.stdout)?.lines() {
            measured.push(
                Measured::parse(line).ok_or_else(|| format!("expected a row, found {line:?}"))?,
            );
        }
    }
    // Restores the order of the cases.
    let order: Vec<String> = all_cases().iter().map(Case::key).collect();
    measured.sort_by_key(|it| order.iter().position(|key| *key == it.key));
    Ok(measured)
}

/// Measures the cases of one subscriber and prints a line per case.
pub(crate) fn child(subscriber: Subscriber, rounds: usize) {
    subscriber.install();
    runtime::enter(|| {
        let cases: Vec<Case> =
            all_cases().into_iter().filter(|case| case.subscriber == subscriber).collect();
        let mut runners: Vec<_> = cases.iter().map(Case::runner).collect();
        let counts: Vec<_> = runners.iter_mut().map(|it| allocations(&mut **it)).collect();
        let times = opt_out_of(|| times(&mut runners, rounds));
        for (i, case) in cases.iter().enumerate() {
            let base = cases.iter().position(|it| it.key() == case.base_key());
            let base = &times[base.expect("each case has a base")];
            let pairs = || times[i].iter().zip(base);
            let measured = Measured {
                key: case.key(),
                ns: median(times[i].iter().copied()),
                ns_over: median(pairs().map(|(it, base)| it - base)),
                ratio: median(pairs().map(|(it, base)| it / base)),
                allocations: counts[i].0,
                bytes: counts[i].1,
                future: runners[i].future_size(),
            };
            println!("{}", measured.line());
        }
    });
}

/// Returns the number of allocations of one call, and their bytes.
pub(crate) fn allocations(runner: &mut dyn Runner) -> (f64, f64) {
    let mut count_batches = || {
        let (mut count, mut bytes) = (0, 0);
        for _ in 0..COUNTED_BATCHES {
            runner.prepare(BATCH);
            let info = allocation_counter::measure(|| runner.run());
            count += info.count_total;
            bytes += info.bytes_total;
        }
        let calls = (COUNTED_BATCHES * BATCH) as f64;
        (count as f64 / calls, bytes as f64 / calls)
    };
    count_batches();
    count_batches()
}

/// Returns the nanoseconds per call, by case and round.
///
/// Each round runs every case in a new random order, so that caches and clock frequency do not
/// always favor the same case.
fn times(runners: &mut [Box<dyn Runner>], rounds: usize) -> Vec<Vec<f64>> {
    let mut random = fastrand::Rng::with_seed(0);
    let mut order: Vec<usize> = (0..runners.len()).collect();
    let mut times = vec![Vec::with_capacity(rounds); runners.len()];
    for _ in 0..rounds {
        random.shuffle(&mut order);
        for &i in &order {
            runners[i].prepare(BATCH);
            #[allow(clippy::disallowed_types, reason = "as above")]
            let start = Instant::now();
            runners[i].run();
            times[i].push(start.elapsed().as_nanos() as f64 / BATCH as f64);
        }
    }
    times
}

/// Runs `work` without counting allocations. One check of a thread-local per allocation remains.
fn opt_out_of<T>(work: impl FnOnce() -> T) -> T {
    let mut result = None;
    opt_out(|| result = Some(work()));
    result.expect("the work has run")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Measured {
    fn line(&self) -> String {
        let Self { key, ns, ns_over, ratio, allocations, bytes, future } = self;
        let future = future.map_or_else(|| "-".to_owned(), |size| size.to_string());
        format!("{key}\t{ns}\t{ns_over}\t{ratio}\t{allocations}\t{bytes}\t{future}")
    }

    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let (key, values) = fields.split_at_checked(4)?;
        let [ns, ns_over, ratio, allocations, bytes, future] = values.try_into().ok()?;
        let number = |text: &str| text.parse().ok();
        Some(Self {
            key: key.join("\t"),
            ns: number(ns)?,
            ns_over: number(ns_over)?,
            ratio: number(ratio)?,
            allocations: number(allocations)?,
            bytes: number(bytes)?,
            future: future.parse().ok(),
        })
    }
}
