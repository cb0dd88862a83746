//! What becomes of a call when the upstream fails: through seawall, and through its peers, on real sockets.
//!
//! `behaviour` prints a Markdown table of all; `behaviour --check` only looks at seawall, and fails if it does.
//!
//! A verdict is on what a peer decides by itself. Where it leaves that to its user, here the harness, what came of it is
//! told, and no more: tower's retry comes without a policy, others without an opinion on which requests to repeat.

mod peers;
mod probes;

use std::process::ExitCode;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// The peer leaves it to its user.
    User,
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
    for peer in peers::all().into_iter().filter(|peer| peer.is_ours || !check) {
        for (decides, (what, passed, seen)) in probes::run(&peer).await {
            let verdict = match passed {
                _ if peer.decides < decides => Verdict::User,
                true => Verdict::Pass,
                false => Verdict::Fail,
            };
            failed |= peer.is_ours && verdict != Verdict::Pass;
            println!(
                "| {what} | {} | {} | {seen} |",
                peer.name,
                format!("{verdict:?}").to_lowercase()
            );
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
