//! The Markdown tables.

use std::hint::black_box;

use benches::contention::{Measured, Mode, ONE_ARC, Role, Row, RowTimes, THREADS, Times};
use tokio::time::Instant;

/// Indices into [`Mode::ALL`] and [`THREADS`].
const OWN: usize = 0;
const ONE: usize = 0;
const TWO: usize = 1;
const FOUR: usize = 2;

/// The minimum ratio of two threads to one that proves contention, for the probe with one `Arc`.
const MIN_CONTENTION: f64 = 1.15;

const NONE: &str = "–";

pub(crate) fn print(rows: &[Row], measured: &Measured, rounds: usize) {
    println!("A clock read takes {:.0} ns here.\n", clock_read());
    print_times(rows, measured);
    print_comparison(rows, measured);
    print_confidence(rows, measured, rounds);
}

fn print_times(rows: &[Row], measured: &Measured) {
    let columns = |mode| {
        let name = match mode {
            Mode::Own => "own",
            Mode::Cloned => "cloned",
        };
        THREADS.map(|threads| format!("{name}, {threads}")).join(" | ") + " | 2 ÷ 1 | 4 ÷ 1"
    };
    println!("| ns per call | {} |", Mode::ALL.map(columns).join(" | "));
    println!("|---|{}", "--:|".repeat(Mode::ALL.len() * (THREADS.len() + 2)));
    for (row, times) in rows.iter().zip(&measured.rows) {
        let cells = times.iter().flat_map(|times| {
            let ratio = |threads: usize| two_digits(ratio(&times[threads], &times[ONE]));
            times.iter().map(cell).chain([ratio(TWO), ratio(FOUR)])
        });
        println!("| {} | {} |", row.name, cells.collect::<Vec<_>>().join(" | "));
    }
    println!();
}

/// Prints the ratios of seawall's times to those of each peer.
fn print_comparison(rows: &[Row], measured: &Measured) {
    let with_role = |role| {
        let pairs = rows.iter().zip(&measured.rows);
        pairs.filter(move |(row, _)| row.role == role)
    };
    for (seawall, seawall_times) in with_role(Role::Seawall) {
        println!("| {} ÷ peer | own, 1 | own, 2 | cloned, 1 | cloned, 2 |", seawall.name);
        println!("|---|--:|--:|--:|--:|");
        for (peer, peer_times) in with_role(Role::Peer) {
            let cells = seawall_times.iter().zip(peer_times).flat_map(|(seawall, peer)| {
                [ONE, TWO].map(|threads| two_digits(ratio(&seawall[threads], &peer[threads])))
            });
            println!("| {} | {} |", peer.name, cells.collect::<Vec<_>>().join(" | "));
        }
        println!();
    }
}

fn print_confidence(rows: &[Row], measured: &Measured, rounds: usize) {
    let Measured { runs, counted, .. } = measured;
    let share = 100.0 * *counted as f64 / *runs as f64;
    let cells = measured.rows.iter().flatten().flatten();
    let min_runs = cells.map(Times::len).filter(|runs| *runs > 0).min().unwrap_or_default();
    println!(
        "Medians, with lower quartiles in parentheses. {share:.0} % of {runs} runs counted. \
         Each time is the median of {min_runs} to {rounds} runs.\n"
    );
    let contention = contention(rows, &measured.rows);
    match contention {
        Some(ratio) if ratio >= MIN_CONTENTION => {
            println!(
                "The threads contended: the ratio of two to one is {ratio:.2} for `{ONE_ARC}`."
            );
        }
        _ => println!(
            "**Inconclusive**: the ratio of two to one is {} for `{ONE_ARC}`, less than \
             {MIN_CONTENTION}. The threads did not contend.",
            two_digits(contention)
        ),
    }
}

/// The ratio of two threads to one for the probe with one `Arc`.
fn contention(rows: &[Row], times: &[RowTimes]) -> Option<f64> {
    let probe = rows.iter().position(|row| row.name == ONE_ARC)?;
    let times = &times[probe][OWN];
    ratio(&times[TWO], &times[ONE])
}

fn ratio(times: &Times, base: &Times) -> Option<f64> {
    Some(times.median()? / base.median()?)
}

fn two_digits(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.2}"))
}

fn cell(times: &Times) -> String {
    match times.median().zip(times.lower_quartile()) {
        Some((median, quartile)) => format!("{median:.0} ({quartile:.0})"),
        None => NONE.to_owned(),
    }
}

/// Returns the time of a clock read in nanoseconds.
fn clock_read() -> f64 {
    const READS: u32 = 1_000_000;
    let start = Instant::now();
    for _ in 0..READS {
        black_box(Instant::now());
    }
    start.elapsed().as_nanos() as f64 / f64::from(READS)
}
