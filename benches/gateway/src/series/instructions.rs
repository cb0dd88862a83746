//! Instructions of a request, counted by callgrind.

use std::{fs, path::Path};

use super::super::{
    lab::{Lab, Run},
    load::{Connections, Kind},
    report,
    subject::Subject,
};

/// Prints the instructions of each kind of request through each proxy.
///
/// A proxy is counted with a number of requests and with twice as many. The difference excludes the
/// start and the end.
pub(crate) async fn run(lab: &Lab) {
    report::heading("Instructions");
    println!("| proxy | GET without logs | GET with an access log | POST without logs |");
    println!("|---|--:|--:|--:|");
    for subject in lab.select(Subject::COUNTED) {
        let get = count(lab, subject, Kind::Get, false).await.to_string();
        let get_with_log = if subject.has_log() {
            count(lab, subject, Kind::Get, true).await.to_string()
        } else {
            String::new()
        };
        let post = count(lab, subject, Kind::Post, false).await.to_string();
        println!("| {} | {get} | {get_with_log} | {post} |", subject.name());
    }
}

async fn count(lab: &Lab, subject: Subject, kind: Kind, with_log: bool) -> usize {
    let requests = lab.arguments.counted;
    let single = count_requests(lab, subject, kind, with_log, requests).await;
    let double = count_requests(lab, subject, kind, with_log, 2 * requests).await;
    double.saturating_sub(single) / requests
}

/// Returns the instructions of the process with a number of requests, after a warm-up.
async fn count_requests(
    lab: &Lab,
    subject: Subject,
    kind: Kind,
    with_log: bool,
    requests: usize,
) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("callgrind.out");
    let wrap = format!("valgrind --quiet --tool=callgrind --callgrind-out-file={}", file.display());
    let proxy = lab.start(subject, Run { with_log, wrap: &wrap, ..Run::default() }).await;
    // With one request in flight, the counts do not depend on how the requests overlap.
    let mut connection = Connections::open(proxy.address, lab.origin, 1).await;
    connection.send_successfully(&proxy.name, kind, 100 + requests).await;
    drop(connection);
    drop(proxy);
    total(&file)
}

fn total(file: &Path) -> usize {
    let counts = fs::read_to_string(file).expect("the file of callgrind");
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("a total")
}
