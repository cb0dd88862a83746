//! CPU time of a request.

use super::super::{
    check,
    lab::{Lab, Run},
    load::Kind,
    report,
    rounds::{self, Candidate},
    subject::Subject,
};

pub(crate) async fn run(lab: &Lab, kind: Kind, with_log: bool) {
    let subjects = if with_log { Subject::WITH_LOG } else { Subject::REVERSE_PROXIES };
    let run = Run { with_log, ..Run::default() };
    let mut candidates = Vec::new();
    for subject in lab.select(subjects) {
        let requests = lab.arguments.requests;
        candidates.push(Candidate::start(lab, subject, run, kind, requests).await);
    }
    rounds::measure(lab, &mut candidates, kind).await;
    rounds::assert_success(&candidates);
    let log = if with_log { "with an access log" } else { "without logs" };
    report::heading(&format!("CPU time of a {}, {log}", kind.as_str()));
    report::cpu_times(&candidates);
    if with_log {
        for candidate in candidates {
            let sent = candidate.sent();
            check::lines_of_log(candidate.proxy, sent).await;
        }
    }
}
