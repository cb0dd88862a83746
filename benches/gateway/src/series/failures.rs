//! Throughput and failures while the origin responds to a share of the requests with 502.

use super::super::{
    lab::{Lab, Run},
    load::Kind,
    report,
    rounds::{self, Candidate},
    subject::Subject,
};

pub(crate) async fn run(lab: &Lab) {
    let run = Run { with_failures: true, ..Run::default() };
    let mut candidates = Vec::new();
    for subject in lab.select(Subject::RETRYING) {
        let requests = lab.arguments.requests / 2;
        candidates.push(Candidate::start(lab, subject, run, Kind::Get, requests).await);
    }
    rounds::measure(lab, &mut candidates, Kind::Get).await;
    report::heading(&format!("GET with {} % of 502", lab.arguments.failures));
    report::throughput(&candidates);
}
