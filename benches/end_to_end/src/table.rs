//! The Markdown table.

use crate::{clients::ClientCase, load::Batch, statistics::Sorted};

/// Prints a row per client. "Times bare" is the ratio of its time to that of its base in the same
/// round.
pub(crate) fn print(peers: &[ClientCase], batches: &[Vec<Batch>]) {
    println!(
        "| client | µs per call | quartiles | times bare | quartiles | 95 % interval of the median | more than noise? | p50 µs | p99 µs |"
    );
    println!("|---|--:|--:|--:|--:|--:|---|--:|--:|");
    let index_of =
        |name: &str| peers.iter().position(|it| it.name == name).expect("the client exists");
    for (i, peer) in peers.iter().enumerate() {
        let base = index_of(peer.base);
        let times = Sorted::new(batches[i].iter().map(per_call));
        let ratios = ratios(&batches[i], &batches[base]);
        let (low, high) = ratios.confidence_interval();
        // The noise is the ratio of the bare client to itself.
        let noise = self::ratios(&batches[base + 1], &batches[base]);
        let latencies =
            Sorted::new(batches[i].iter().flat_map(|it| &it.latencies).map(|it| micros(*it)));
        println!(
            "| {} | {:.2} | {:.2}–{:.2} | {:.3} | {:.3}–{:.3} | {low:.3}–{high:.3} | {} | {:.1} | {:.1} |",
            peer.name,
            times.median(),
            times.quantile(0.25),
            times.quantile(0.75),
            ratios.median(),
            ratios.quantile(0.25),
            ratios.quantile(0.75),
            verdict(i, base, batches[i].len(), (low, high), noise.confidence_interval()),
            latencies.median(),
            latencies.quantile(0.99),
        );
    }
    println!();
}

/// Reports a difference only if the confidence intervals do not overlap and the client's excludes
/// 1.
fn verdict(
    row: usize,
    base: usize,
    rounds: usize,
    (low, high): (f64, f64),
    (noise_low, noise_high): (f64, f64),
) -> &'static str {
    if row == base {
        "base"
    } else if row == base + 1 {
        "noise"
    } else if rounds < 6 {
        "too few rounds"
    } else if low > noise_high.max(1.0) {
        "slower"
    } else if high < noise_low.min(1.0) {
        "faster"
    } else {
        "no"
    }
}

fn ratios(batches: &[Batch], bases: &[Batch]) -> Sorted {
    let pairs = batches.iter().zip(bases);
    Sorted::new(pairs.map(|(batch, base)| per_call(batch) / per_call(base)))
}

fn per_call(batch: &Batch) -> f64 {
    micros(batch.elapsed) / batch.latencies.len() as f64
}

fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
