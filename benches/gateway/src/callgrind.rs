//! Instructions of a request, counted by callgrind.

use std::{fs, process::Stdio};

use super::{
    Lab,
    load::{Connections, Kind},
    subject::Subject,
};

/// Returns the instructions of a GET and of a POST through each proxy.
///
/// A proxy is counted with a number of requests and with twice as many. The difference excludes the
/// start and the end.
pub(crate) async fn count(lab: &Lab<'_>, subjects: &[Subject]) -> Vec<[f64; 2]> {
    let requests = lab.arguments.counted;
    let mut counts = Vec::new();
    for subject in subjects {
        let mut of_kinds = [0.0; 2];
        for (kind, count) in [Kind::Get, Kind::Post].into_iter().zip(&mut of_kinds) {
            let single = count_requests(lab, subject, kind, requests).await;
            let double = count_requests(lab, subject, kind, 2 * requests).await;
            *count = (double - single) / requests as f64;
        }
        counts.push(of_kinds);
    }
    counts
}

/// Returns the instructions of the process with a number of requests, after a warm-up.
async fn count_requests(lab: &Lab<'_>, subject: &Subject, kind: Kind, requests: usize) -> f64 {
    let file = lab.folder.join("callgrind.out");
    let output = format!("--callgrind-out-file={}", file.display());
    let valgrind = ["valgrind", "--quiet", "--tool=callgrind", &output];
    let (process, address) = lab.start(subject, &valgrind, Stdio::null());
    // With one request in flight, the counts do not depend on how the requests overlap.
    let mut connection = Connections::open(address, 1).await;
    connection.send_successfully(kind, 100 + requests).await;
    drop(connection);
    process.terminate();
    let counts = fs::read_to_string(&file).expect("the file of callgrind");
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("a total")
}
