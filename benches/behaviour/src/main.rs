//! Compares the behavior of seawall and its peers when the upstream fails: retries on real sockets, and circuit breakers with
//! calls that fail, are cancelled, or end late.
//!
//! `behaviour` prints a Markdown table of all; `behaviour --check` only tests seawall, and fails if a probe does.
//!
//! A peer gets a verdict only on its own decisions. For a decision that it leaves to its user, the table only reports the
//! result: tower's retry has no default policy, and others do not decide which requests to repeat.

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
    /// The peer leaves the decision to its user.
    User,
}

impl Verdict {
    fn of(passed: bool) -> Self {
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
    println!("| probe | peer | verdict | seen |\n|---|---|---|---|");
    let mut failed = false;
    let mut report = |name, is_seawall, verdict, (probe, _, seen): ProbeResult| {
        failed |= is_seawall && verdict != Verdict::Pass;
        println!("| {probe} | {name} | {} | {seen} |", format!("{verdict:?}").to_lowercase());
    };
    for peer in retries::all().into_iter().filter(|peer| peer.is_seawall || !check) {
        for (required, seen) in retry_probes::run(&peer).await {
            let verdict = if peer.decides < required { Verdict::User } else { Verdict::of(seen.1) };
            report(peer.name, peer.is_seawall, verdict, seen);
        }
    }
    for peer in breakers::all().into_iter().filter(|peer| peer.is_seawall || !check) {
        for seen in breaker_probes::run(&peer).await {
            report(peer.name, peer.is_seawall, Verdict::of(seen.1), seen);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
