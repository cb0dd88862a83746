//! Prints the cost of a call over a loopback socket as Markdown tables, for bare clients and with
//! layers.
//!
//! `end_to_end [--rounds N] [--calls N] [--in-flight N]`: each round runs the calls of every client
//! in a new random order. Without `--in-flight`, prints one table for 1 and one for 16.
//!
//! `end_to_end --list`: prints the clients and their bases, separated by tabs.
//!
//! `end_to_end --client NAME --calls N [--in-flight N]`: makes only the calls of one client, for
//! callgrind. The client runs on the first thread of the process, and the server on the second.

mod clients;
mod load;
#[path = "../../src/minimal.rs"]
mod minimal;
mod server;
mod statistics;
mod table;
#[path = "../../src/tower_policy.rs"]
mod tower_policy;

use std::{env, process::ExitCode};

use tokio::runtime::Builder;

use self::load::{Batch, LoadGenerator};

const USAGE: &str = "\
usage: end_to_end [--rounds N] [--calls N] [--in-flight N]
       end_to_end --list
       end_to_end --client NAME --calls N [--in-flight N]";

struct Args {
    rounds: usize,
    calls: usize,
    in_flight: Vec<usize>,
    client: Option<String>,
    list: bool,
}

fn main() -> ExitCode {
    let Some(Args { rounds, calls, in_flight, client, list }) = parse_args() else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let peers = clients::all();
    if list {
        for peer in peers {
            println!("{}\t{}", peer.name, peer.base);
        }
        return ExitCode::SUCCESS;
    }
    let selected = client.map(|name| peers.iter().find(|it| it.name == name));
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    match selected {
        Some(None) => {
            eprintln!("end_to_end: unknown client, expected a name from --list");
            return ExitCode::FAILURE;
        }
        Some(Some(peer)) => {
            let run = (peer.make)(server::start());
            runtime.block_on(run(calls, in_flight[0]));
        }
        None => {
            let server = server::start();
            let clients: Vec<LoadGenerator> = peers.iter().map(|it| (it.make)(server)).collect();
            for in_flight in in_flight {
                let batches = runtime.block_on(run_rounds(&clients, rounds, calls, in_flight));
                println!("## {in_flight} in flight\n\n{rounds} rounds of {calls} calls.\n");
                table::print(&peers, &batches);
            }
        }
    }
    ExitCode::SUCCESS
}

fn parse_args() -> Option<Args> {
    let mut parsed =
        Args { rounds: 101, calls: 500, in_flight: vec![1, 16], client: None, list: false };
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next();
        let number = |text: String| text.parse().ok().filter(|number| *number > 0);
        match arg.as_str() {
            "--rounds" => parsed.rounds = number(value()?)?,
            "--calls" => parsed.calls = number(value()?)?,
            "--in-flight" => parsed.in_flight = vec![number(value()?)?],
            "--client" => parsed.client = Some(value()?),
            "--list" => parsed.list = true,
            _ => return None,
        }
    }
    Some(parsed)
}

/// Returns the batches of each client, by round.
async fn run_rounds(
    clients: &[LoadGenerator],
    rounds: usize,
    calls: usize,
    in_flight: usize,
) -> Vec<Vec<Batch>> {
    let mut random = fastrand::Rng::with_seed(0);
    let mut order: Vec<usize> = (0..clients.len()).collect();
    let mut batches: Vec<Vec<Batch>> = clients.iter().map(|_| Vec::new()).collect();
    // The warm-up opens connections and fills caches.
    for client in clients {
        client(calls, in_flight).await;
    }
    for _ in 0..rounds {
        random.shuffle(&mut order);
        for &i in &order {
            batches[i].push(clients[i](calls, in_flight).await);
        }
    }
    batches
}
