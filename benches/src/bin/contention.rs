//! Prints what a call through one breaker costs on one thread and on two, as a Markdown table: `contention [ROUNDS]`.

use std::{env, process::ExitCode};

use benches::contention;

const CALLS: usize = 50_000;

fn main() -> ExitCode {
    let rounds = match env::args().nth(1).map_or(Ok(30), |rounds| rounds.parse::<usize>()) {
        Ok(rounds) if rounds > 0 => rounds,
        _ => {
            eprintln!("usage: contention [ROUNDS]");
            return ExitCode::FAILURE;
        }
    };
    let jobs = contention::jobs();
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
        "| breaker | ns, one thread | ns, two threads | two ÷ one | times seawall's, one | two |"
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
