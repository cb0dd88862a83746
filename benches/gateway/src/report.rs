//! Markdown tables.

use super::{rounds::Measured, statistics::Sorted};

/// Prints a heading.
pub(crate) fn heading(text: &str) {
    println!("\n## {text}\n");
}

/// Prints CPU times, and the ratio of the first proxy to each of the others.
pub(crate) fn cpu_times(measured: &[Measured]) {
    let Some(first) = measured.first() else { return };
    let name = &first.name;
    println!(
        "| proxy | µs of CPU per request | 95 % interval | {name} ÷ proxy | 95 % interval |"
    );
    println!("|---|--:|--:|--:|--:|");
    for proxy in measured {
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
pub(crate) fn throughput(measured: &[Measured]) {
    let Some(first) = measured.first() else { return };
    let name = &first.name;
    println!(
        "| proxy | requests per second | 95 % interval | {name} ÷ proxy | 95 % interval | µs of CPU \
         per request | 95 % interval | failures of {} requests |",
        first.outcomes.total()
    );
    println!("|---|--:|--:|--:|--:|--:|--:|---|");
    for proxy in measured {
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
    median(rounds.iter().zip(base).map(|(value, base)| value / base), 3)
}

/// Returns the median, and its interval, as two cells.
fn median(values: impl Iterator<Item = f64>, decimals: usize) -> String {
    let sorted = Sorted::new(values);
    let (low, high) = sorted.confidence_interval();
    format!("{:.decimals$} | {low:.decimals$}–{high:.decimals$}", sorted.median())
}
