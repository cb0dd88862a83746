//! Prints what a call costs over a socket on loopback, from clients that are bare and that are not, as Markdown tables.
//!
//! `end_to_end [--rounds N] [--calls N] [--in-flight N]`: in each round every client has its turn of so many calls, in an order
//! shuffled anew; without `--in-flight`, one table for 1 and one for 16.
//!
//! `end_to_end --list`: the clients, and with which each is compared, by tabs.
//!
//! `end_to_end --client NAME --calls N [--in-flight N]`: only these calls, for callgrind: the client is on the process's first
//! thread, the server on its second.

mod calls;
mod clients;
#[path = "../../src/floor.rs"]
mod floor;
#[path = "../../src/retry_502.rs"]
mod retry_502;
mod server;
mod statistics;
mod table;

use std::{env, process::ExitCode};

use tokio::runtime::Builder;

use self::calls::{Batch, Calls};

const USAGE: &str = "\
usage: end_to_end [--rounds N] [--calls N] [--in-flight N]
       end_to_end --list
       end_to_end --client NAME --calls N [--in-flight N]";

struct Arguments {
    rounds: usize,
    calls: usize,
    in_flight: Vec<usize>,
    client: Option<String>,
    list: bool,
}

fn main() -> ExitCode {
    let Some(Arguments { rounds, calls, in_flight, client, list }) = arguments() else {
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
    let one = client.map(|name| peers.iter().find(|it| it.name == name));
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    match one {
        Some(None) => {
            eprintln!("end_to_end: no such client; see --list");
            return ExitCode::FAILURE;
        }
        Some(Some(peer)) => {
            let run = (peer.make)(server::start());
            runtime.block_on(run(calls, in_flight[0]));
        }
        None => {
            let server = server::start();
            let clients: Vec<Calls> = peers.iter().map(|it| (it.make)(server)).collect();
            for in_flight in in_flight {
                let batches = runtime.block_on(take_turns(&clients, rounds, calls, in_flight));
                println!("## {in_flight} in flight\n\n{rounds} rounds of {calls} calls.\n");
                table::print(&peers, &batches);
            }
        }
    }
    ExitCode::SUCCESS
}

fn arguments() -> Option<Arguments> {
    let mut all =
        Arguments { rounds: 101, calls: 500, in_flight: vec![1, 16], client: None, list: false };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next();
        let number = |text: String| text.parse().ok().filter(|number| *number > 0);
        match argument.as_str() {
            "--rounds" => all.rounds = number(value()?)?,
            "--calls" => all.calls = number(value()?)?,
            "--in-flight" => all.in_flight = vec![number(value()?)?],
            "--client" => all.client = Some(value()?),
            "--list" => all.list = true,
            _ => return None,
        }
    }
    Some(all)
}

/// The batches of each client, by round.
async fn take_turns(
    clients: &[Calls],
    rounds: usize,
    calls: usize,
    in_flight: usize,
) -> Vec<Vec<Batch>> {
    let mut random = fastrand::Rng::with_seed(0);
    let mut order: Vec<usize> = (0..clients.len()).collect();
    let mut batches: Vec<Vec<Batch>> = clients.iter().map(|_| Vec::new()).collect();
    // Connections are made, and caches warm.
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
