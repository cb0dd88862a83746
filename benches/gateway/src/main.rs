//! Prints the cost of a request through the gateway as Markdown, beside that of other proxies.
//!
//! The proxies of a series run at the same time, each pinned to the same processor. Each round
//! sends a batch of requests through every proxy, in a new random order.

mod check;
mod lab;
mod load;
mod process;
mod report;
mod rounds;
mod series;
#[path = "../../end_to_end/src/statistics.rs"]
mod statistics;
mod subject;

use std::path::PathBuf;

use clap::Parser;
use lab::Lab;
use series::Series;

/// Compare the gateway with other proxies
#[derive(Debug, Parser)]
struct Arguments {
    /// The measurement
    series: Series,

    /// Folder of the scripts that start the proxies
    #[arg(long)]
    peers: PathBuf,

    /// Whether to also measure an older build of the gateway
    #[arg(long)]
    before: bool,

    /// Measure only these proxies
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,

    #[arg(long, default_value_t = 30)]
    rounds: usize,

    /// Requests in a round
    #[arg(long, default_value_t = 8_000)]
    requests: usize,

    /// Connections that are kept alive
    #[arg(long, default_value_t = 16)]
    connections: usize,

    /// Requests counted by callgrind
    #[arg(long, default_value_t = 2_000)]
    counted: usize,

    /// Share of the responses of the origin that are 502, in the series of failures
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    failures: f64,

    /// Clients that are connected and idle, in the series of memory
    #[arg(long, default_value_t = 2_000)]
    idle_clients: usize,

    /// Requests before the peak of memory is read
    #[arg(long, default_value_t = 100_000)]
    peak_requests: usize,

    /// Folder for logs of the proxies, preferably in memory
    #[arg(long, default_value = "/dev/shm")]
    logs: PathBuf,

    /// The processor of the proxies
    #[arg(long, default_value = "0")]
    cpu: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    let series = arguments.series;
    let failing_percent = if series == Series::Failures { arguments.failures } else { 0.0 };
    let lab = Lab::new(arguments, failing_percent);
    series.run(&lab).await;
}
