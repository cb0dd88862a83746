//! Markdown tables.

use super::{rounds::Candidate, statistics::Sorted};

/// Prints a heading.
pub(crate) fn heading(text: &str) {
    println!("\n## {text}\n");
}

/// Prints CPU times, and the ratio of the first proxy to each of the others.
pub(crate) fn cpu_times(candidates: &[Candidate]) {
    let Some(Candidate { measured: first, .. }) = candidates.first() else { return };
    let name = &first.name;
    println!("| proxy | µs of CPU per request | 95 % interval | {name} ÷ proxy | 95 % interval |");
    println!("|---|--:|--:|--:|--:|");
    for Candidate { measured: proxy, .. } in candidates {
        println!(
            "| {} | {} | {} |",
            proxy.name,
            median(proxy.cpu_times.iter().map(|seconds| seconds * 1e6), 2),
            ratio(&first.cpu_times, &proxy.cpu_times),
        );
    }
}

/// Prints throughput, failures and CPU times, and the ratios of the first proxy to each of the
/// others.
pub(crate) fn throughput(candidates: &[Candidate]) {
    let Some(Candidate { measured: first, .. }) = candidates.first() else { return };
    let name = &first.name;
    println!(
        "| proxy | requests per second | 95 % interval | {name} ÷ proxy | 95 % interval | µs of CPU \
         per request | 95 % interval | failures of {} requests |",
        first.outcomes.total()
    );
    println!("|---|--:|--:|--:|--:|--:|--:|---|");
    for Candidate { measured: proxy, .. } in candidates {
        println!(
            "| {} | {} | {} | {} | {} |",
            proxy.name,
            median(proxy.throughput.iter().copied(), 0),
            ratio(&first.throughput, &proxy.throughput),
            median(proxy.cpu_times.iter().map(|seconds| seconds * 1e6), 2),
            proxy.outcomes,
        );
    }
}

/// Returns the median of the ratios by round, and its interval.
fn ratio(rounds: &[f64], base: &[f64]) -> String {
    let ratios: Vec<f64> = rounds.iter().zip(base).map(|(value, base)| value / base).collect();
    // Gives at least two significant digits.
    let decimals = if ratios.iter().all(|&ratio| ratio > 0.1) { 3 } else { 5 };
    median(ratios.into_iter(), decimals)
}

/// Returns the median, and its interval, as two cells.
fn median(values: impl Iterator<Item = f64>, decimals: usize) -> String {
    let sorted = Sorted::new(values);
    let (low, high) = sorted.confidence_interval();
    format!("{:.decimals$} | {low:.decimals$}–{high:.decimals$}", sorted.median())
}
