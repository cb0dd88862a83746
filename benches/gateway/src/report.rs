//! Markdown tables.

use std::time::Duration;

use super::{load::Kind, statistics::Sorted, subject::Subject};

/// Prints the CPU times of `requests` requests, by proxy and round.
pub(crate) fn print_times(
    subjects: &[Subject],
    times: &[Vec<Duration>],
    kind: Kind,
    requests: usize,
) {
    let position = |name: String| subjects.iter().position(|it| it.name == name);
    println!("\n## CPU time of a {}\n", kind.as_str());
    println!(
        "| proxy | µs of CPU per request | times plain | 95 % interval | times before | 95 % interval |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for (subject, rounds) in subjects.iter().zip(times) {
        let total: Duration = rounds.iter().sum();
        let microseconds = total.as_secs_f64() * 1e6 / (rounds.len() * requests) as f64;
        let plain = ratio(rounds, &times[0]);
        let old = subject.name.strip_prefix("gateway ").map(|mode| format!("before {mode}"));
        let old = old.and_then(position);
        let old = old.map_or("| ".to_owned(), |old| ratio(rounds, &times[old]));
        println!("| {} | {microseconds:.2} | {plain} | {old} |", subject.name);
    }
}

/// Returns the median of the ratios by round, and its interval.
fn ratio(rounds: &[Duration], base: &[Duration]) -> String {
    let pairs = rounds.iter().zip(base);
    let ratios = Sorted::new(pairs.map(|(time, base)| time.as_secs_f64() / base.as_secs_f64()));
    let (low, high) = ratios.confidence_interval();
    format!("{:.3} | {low:.3}–{high:.3}", ratios.median())
}

/// Prints the instructions of a GET and a POST, by proxy.
pub(crate) fn print_instructions(subjects: &[Subject], counts: &[[f64; 2]]) {
    println!("\n## Instructions\n");
    println!("| proxy | GET | times plain | POST | times plain |");
    println!("|---|--:|--:|--:|--:|");
    for (subject, [get, post]) in subjects.iter().zip(counts) {
        let [plain_get, plain_post] = counts[0];
        println!(
            "| {} | {get:.0} | {:.3} | {post:.0} | {:.3} |",
            subject.name,
            get / plain_get,
            post / plain_post
        );
    }
}
