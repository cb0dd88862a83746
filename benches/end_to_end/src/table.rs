//! The Markdown table.

use crate::{clients::ClientCase, load::Batch, statistics::Sorted};

/// Prints one row per client. "Times bare" is its time divided by that of its base in the same round.
pub(crate) fn print(peers: &[ClientCase], batches: &[Vec<Batch>]) {
    println!(
        "| client | µs a call | quartiles | times bare | quartiles | 95 % interval of the median | more than noise? | p50 µs | p99 µs |"
    );
    println!("|---|--:|--:|--:|--:|--:|---|--:|--:|");
    let at = |name: &str| peers.iter().position(|it| it.name == name).expect("it is a client");
    for (i, peer) in peers.iter().enumerate() {
        let base = at(peer.base);
        let times = Sorted::new(batches[i].iter().map(per_call));
        let ratios = ratios(&batches[i], &batches[base]);
        let (low, high) = ratios.confidence_interval();
        // The bare client compared with itself.
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

/// Reports a difference only if the two confidence intervals do not overlap, and the client's does not contain 1.
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
        "the noise"
    } else if rounds < 6 {
        "too few rounds"
    } else if low > noise_high.max(1.0) {
        "dearer"
    } else if high < noise_low.min(1.0) {
        "cheaper"
    } else {
        "no"
    }
}

fn ratios(of: &[Batch], to: &[Batch]) -> Sorted {
    Sorted::new(of.iter().zip(to).map(|(it, base)| per_call(it) / per_call(base)))
}

fn per_call(batch: &Batch) -> f64 {
    micros(batch.elapsed) / batch.latencies.len() as f64
}

fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
