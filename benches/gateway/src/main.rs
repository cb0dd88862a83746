//! Prints the cost of a request through the gateway as Markdown tables, beside a plain proxy.
//!
//! All proxies run at the same time, each pinned to the same processor. Each round sends a batch of
//! requests through every proxy, in a new random order.

mod callgrind;
mod load;
mod process;
mod report;
#[path = "../../end_to_end/src/statistics.rs"]
mod statistics;
mod subject;

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use clap::Parser;
use load::{Connections, Kind};
use process::Process;
use subject::Subject;

/// Compare the gateway with a plain proxy
#[derive(Debug, Parser)]
struct Arguments {
    /// The gateway
    #[arg(long)]
    gateway: PathBuf,

    /// An older build of the gateway, to compare with
    #[arg(long)]
    before: Option<PathBuf>,

    #[arg(long, default_value_t = 30)]
    rounds: usize,

    /// Requests in a round
    #[arg(long, default_value_t = 8_000)]
    requests: usize,

    /// Connections that are kept alive
    #[arg(long, default_value_t = 16)]
    connections: usize,

    /// Requests counted by callgrind, or 0 to count none
    #[arg(long, default_value_t = 2_000)]
    counted: usize,

    /// Only send GET requests with failures of the origin in this share of the responses
    #[arg(long, value_name = "PERCENT")]
    failures: Option<f64>,

    /// File for the log of the gateway with --failures
    #[arg(long, default_value = "/dev/null")]
    log: PathBuf,

    /// The processor of the proxies
    #[arg(long, default_value = "0")]
    cpu: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    let own = std::env::current_exe().expect("a path");
    let program = |name| own.with_file_name(name);
    let (_origin, origin) =
        Process::start_origin(&program("origin"), arguments.failures.unwrap_or_default());
    let folder = tempfile::tempdir().expect("a folder");
    let lab = Lab { arguments, origin, folder: folder.path() };
    if lab.arguments.failures.is_some() {
        return lab.count_failures().await;
    }
    let Arguments { gateway, before, .. } = &lab.arguments;
    let subjects = Subject::all(&program("plain_proxy"), gateway, before.as_deref());
    for kind in [Kind::Get, Kind::Post] {
        let times = lab.cpu_times(&subjects, kind).await;
        report::print_times(&subjects, &times, kind, lab.arguments.requests);
    }
    if lab.arguments.counted > 0 {
        let counts = callgrind::count(&lab, &subjects).await;
        report::print_instructions(&subjects, &counts);
    }
}

/// The environment of all measurements.
struct Lab<'a> {
    arguments: Arguments,
    origin: SocketAddr,
    folder: &'a Path,
}

impl Lab<'_> {
    /// Starts a proxy on the processor of the proxies.
    fn start(&self, subject: &Subject, prefix: &[&str], log: Stdio) -> (Process, SocketAddr) {
        let pinned = ["taskset", "--cpu-list", &self.arguments.cpu];
        let prefix: Vec<_> = pinned.iter().chain(prefix).map(|&arg| arg.to_owned()).collect();
        let listen = process::free_address();
        let command = subject.command(&prefix, listen, self.origin, self.folder);
        (Process::start_proxy(command, listen, log), listen)
    }

    /// Returns the CPU times of each round, of each proxy.
    async fn cpu_times(&self, subjects: &[Subject], kind: Kind) -> Vec<Vec<Duration>> {
        let Arguments { rounds, requests, connections, .. } = self.arguments;
        let mut proxies = Vec::new();
        for subject in subjects {
            let (process, address) = self.start(subject, &[], Stdio::null());
            let mut connections = Connections::open(address, connections).await;
            connections.send_successfully(kind, requests / 4).await;
            proxies.push((process, connections, Vec::new()));
        }
        let mut order: Vec<usize> = (0..proxies.len()).collect();
        for _ in 0..rounds {
            fastrand::shuffle(&mut order);
            for &index in &order {
                let (process, connections, times) = &mut proxies[index];
                let before = process.cpu_time();
                connections.send_successfully(kind, requests).await;
                times.push(process.cpu_time().saturating_sub(before));
            }
        }
        proxies.into_iter().map(|(_, _, times)| times).collect()
    }

    /// Prints the statuses that reach the client while the origin fails.
    async fn count_failures(&self) {
        let Arguments { gateway, log, rounds, requests, connections, .. } = &self.arguments;
        let log = File::create(log).expect("a file");
        let (_process, address) = self.start(&Subject::gateway(gateway), &[], log.into());
        let mut connections = Connections::open(address, *connections).await;
        let statuses = connections.send(Kind::Get, rounds * requests).await;
        for (status, count) in statuses {
            println!("{count} {status}");
        }
    }
}
