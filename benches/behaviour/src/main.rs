//! What becomes of a call when the upstream fails: through seawall, and through its peers, on real sockets; and what the
//! breakers of both make of calls that fail, are given up, or end late.
//!
//! `behaviour` prints a Markdown table of all; `behaviour --check` only looks at seawall, and fails if it does.
//!
//! A verdict is on what a peer decides by itself. Where it leaves that to its user, here the harness, what came of it is
//! told, and no more: tower's retry comes without a policy, others without an opinion on which requests to repeat.

mod breaker_probes;
mod breakers;
mod peers;
mod probes;

use std::process::ExitCode;

use probes::Seen;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// The peer leaves it to its user.
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
    let mut tell = |name, is_ours, verdict, (what, _, seen): Seen| {
        failed |= is_ours && verdict != Verdict::Pass;
        println!("| {what} | {name} | {} | {seen} |", format!("{verdict:?}").to_lowercase());
    };
    for peer in peers::all().into_iter().filter(|peer| peer.is_ours || !check) {
        for (decides, seen) in probes::run(&peer).await {
            let verdict = if peer.decides < decides { Verdict::User } else { Verdict::of(seen.1) };
            tell(peer.name, peer.is_ours, verdict, seen);
        }
    }
    for peer in breakers::all().into_iter().filter(|peer| peer.is_ours || !check) {
        for seen in breaker_probes::run(&peer).await {
            tell(peer.name, peer.is_ours, Verdict::of(seen.1), seen);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
