//! CPU time of a GET through the gateway, with one and two worker threads.

use super::super::{
    lab::{Lab, Run},
    load::Kind,
    report,
    rounds::{self, Candidate},
    subject::Subject,
};

/// The processors of the load generator and of the proxies.
const ALL_CPUS: &str = "0-1";

pub(crate) async fn run(lab: &Lab) {
    let mut candidates = Vec::new();
    for (cpus, place) in [(None, "1 processor"), (Some(ALL_CPUS), "2 processors")] {
        for threads in ["2", "1"] {
            let run = Run { cpus, threads: Some(threads), ..Run::default() };
            let requests = lab.arguments.requests;
            let candidate = Candidate::start(lab, Subject::Gateway, run, Kind::Get, requests).await;
            let plural = if threads == "1" { "" } else { "s" };
            let name = format!("{threads} thread{plural} on {place}");
            candidates.push(candidate.named(&name));
        }
    }
    rounds::measure(lab, &mut candidates, Kind::Get).await;
    rounds::assert_success(&candidates);
    report::heading("CPU time of a GET with two worker threads");
    // Compares two threads with one thread on the same processors.
    for pair in candidates.chunks(2) {
        report::cpu_times(pair);
        println!();
    }
}
