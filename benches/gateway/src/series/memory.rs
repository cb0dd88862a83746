//! Memory of the processes, resident in RAM.

use std::time::Duration;

use tokio::time::sleep;

use super::super::{
    lab::{Lab, Run},
    load::{Connections, Kind},
    report,
    subject::Subject,
};

/// The time until the memory no longer changes.
const SETTLE: Duration = Duration::from_secs(1);

pub(crate) async fn run(lab: &Lab) {
    let clients = lab.arguments.idle_clients;
    let requests = lab.arguments.peak_requests;
    report::heading("Memory");
    println!(
        "| proxy | MiB idle | MiB with {clients} idle clients | MiB at most in {requests} GETs |"
    );
    println!("|---|--:|--:|--:|");
    for subject in lab.select(Subject::REVERSE_PROXIES) {
        let idle = idle_memory(lab, subject).await;
        let connected = memory_with_idle_clients(lab, subject, clients).await;
        let peak = peak_memory(lab, subject, requests).await;
        let [idle, connected, peak] = [idle, connected, peak].map(mebibytes);
        println!("| {} | {idle:.1} | {connected:.1} | {peak:.1} |", subject.name());
    }
}

/// Returns the memory after a single request.
async fn idle_memory(lab: &Lab, subject: Subject) -> u64 {
    let proxy = lab.start(subject, Run::default()).await;
    sleep(SETTLE).await;
    proxy.process.memory()
}

/// Returns the memory while clients are connected, each after its first request.
async fn memory_with_idle_clients(lab: &Lab, subject: Subject, clients: usize) -> u64 {
    let proxy = lab.start(subject, Run::default()).await;
    let mut open = Vec::new();
    for _ in 0..clients {
        let mut connection = Connections::open(proxy.address, lab.origin, 1).await;
        connection.send_successfully(&proxy.name, Kind::Get, 1).await;
        open.push(connection);
    }
    sleep(SETTLE).await;
    proxy.process.memory()
}

/// Returns the maximum during the requests.
async fn peak_memory(lab: &Lab, subject: Subject, requests: usize) -> u64 {
    let proxy = lab.start(subject, Run::default()).await;
    let number = lab.arguments.connections;
    let mut connections = Connections::open(proxy.address, lab.origin, number).await;
    connections.send_successfully(&proxy.name, Kind::Get, requests).await;
    proxy.process.peak_memory()
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
