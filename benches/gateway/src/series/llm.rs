//! CPU time of a chat completion.

use super::super::{
    lab::{Lab, Run},
    load::Kind,
    report,
    rounds::{self, Candidate},
    subject::Subject,
};

pub(crate) async fn run(lab: &Lab) {
    let mut candidates = Vec::new();
    for subject in lab.select(Subject::OF_LLM_APIS) {
        // The peers are slower, so that they get fewer requests.
        let share = match subject {
            Subject::GatewayLlm => 4,
            Subject::Portkey => 20,
            _ => 80,
        };
        let requests = lab.arguments.requests / share;
        candidates.push(Candidate::start(lab, subject, Run::default(), Kind::Chat, requests).await);
    }
    rounds::measure(lab, &mut candidates, Kind::Chat).await;
    rounds::assert_success(&candidates);
    report::heading(&format!("CPU time of a {}, without logs", Kind::Chat.as_str()));
    report::cpu_times(&candidates);
}
