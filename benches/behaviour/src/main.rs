//! Compares the behavior of seawall and its peers when the upstream fails.
//!
//! The probes cover retries on real sockets, and circuit breakers with calls that fail, are
//! cancelled or end late.
//!
//! `behaviour` prints a Markdown table of all probes. `behaviour --check` probes only seawall and
//! fails if a probe fails.
//!
//! A peer gets a verdict only on its own decisions. If it leaves a decision to the user, the table
//! only reports the observation: tower's retry has no default policy, and other peers do not decide
//! which requests to retry.

mod breaker_probes;
mod breakers;
mod retries;
mod retry_probes;

use std::process::ExitCode;

use retry_probes::ProbeResult;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// The peer leaves the decision to the user.
    User,
}

impl Verdict {
    fn from_passed(passed: bool) -> Self {
        if passed { Self::Pass } else { Self::Fail }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let check = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => {
            eprintln!("usage: behaviour [--check]");
            return ExitCode::FAILURE;
        }
    };
    println!("| probe | peer | verdict | observed |\n|---|---|---|---|");
    let mut failed = false;
    let mut report = |name, is_seawall, verdict, (probe, _, observed): ProbeResult| {
        failed |= is_seawall && verdict != Verdict::Pass;
        println!("| {probe} | {name} | {} | {observed} |", format!("{verdict:?}").to_lowercase());
    };
    for peer in retries::all().into_iter().filter(|peer| peer.is_seawall || !check) {
        for (required, result) in retry_probes::run(&peer).await {
            let verdict = if peer.decides < required {
                Verdict::User
            } else {
                Verdict::from_passed(result.1)
            };
            report(peer.name, peer.is_seawall, verdict, result);
        }
    }
    for peer in breakers::all().into_iter().filter(|peer| peer.is_seawall || !check) {
        for result in breaker_probes::run(&peer).await {
            report(peer.name, peer.is_seawall, Verdict::from_passed(result.1), result);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
