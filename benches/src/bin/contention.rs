//! Prints what a call through one breaker, or one whole stack, costs on one thread and on two, as a Markdown table.

use std::{env, process::ExitCode};

use benches::contention;

const CALLS: usize = 50_000;
const ROUNDS: usize = 30;

const USAGE: &str = "usage: contention breakers|stacks [ROUNDS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (what, rounds) = match arguments[..] {
        [what] => (what, Some(ROUNDS)),
        [what, rounds] => (what, rounds.parse().ok().filter(|rounds| *rounds > 0)),
        _ => ("", None),
    };
    let (jobs, rounds) = match (what, rounds) {
        ("breakers", Some(rounds)) => (contention::breakers(), rounds),
        ("stacks", Some(rounds)) => (contention::stacks(), rounds),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    let mut times = vec![[Vec::new(), Vec::new()]; jobs.len()];
    // All rows take turns, so that what else the machine does meets all of them.
    for _ in 0..rounds {
        for ((_, run), times) in jobs.iter().zip(&mut times) {
            for (threads, times) in [1, 2].into_iter().zip(times) {
                times.push(run(threads, CALLS));
            }
        }
    }
    println!("A read of the clock takes {:.0} ns here.\n", contention::clock());
    println!(
        "| what | ns, one thread | ns, two threads | two ÷ one | times seawall's, one | two |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    let medians: Vec<[f64; 2]> =
        times.iter_mut().map(|it| it.each_mut().map(|it| median(it))).collect();
    let ours =
        jobs.iter().position(|(name, _)| name == "seawall").map_or([1.0; 2], |at| medians[at]);
    for ((name, _), [one, two]) in jobs.iter().zip(&medians) {
        println!(
            "| {name} | {one:.0} | {two:.0} | {:.2} | {:.2} | {:.2} |",
            two / one,
            one / ours[0],
            two / ours[1]
        );
    }
    ExitCode::SUCCESS
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
