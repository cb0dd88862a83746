//! Interleaved measurements: each round sends a batch through every proxy, in a new random order.

use tokio::time::Instant;

use super::{
    lab::{Lab, Proxy, Run},
    load::{Connections, Kind, Outcomes},
    subject::Subject,
};

/// The measurements of a proxy.
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Seconds of CPU per request, of each round.
    pub(crate) cpu_times: Vec<f64>,
    /// Requests in a second, of each round.
    pub(crate) throughput: Vec<f64>,
    pub(crate) outcomes: Outcomes,
}

/// A proxy with open connections, and the number of its requests in a round.
pub(crate) struct Candidate {
    pub(crate) proxy: Proxy,
    connections: Connections,
    requests: usize,
    warm_up: usize,
    pub(crate) measured: Measured,
}

impl Candidate {
    /// Starts a proxy, and warms it up.
    pub(crate) async fn start(
        lab: &Lab,
        subject: Subject,
        run: Run<'_>,
        kind: Kind,
        requests: usize,
    ) -> Self {
        let proxy = lab.start(subject, run).await;
        let number = lab.arguments.connections;
        let mut connections = Connections::open(proxy.address, lab.origin, number).await;
        // The just-in-time compiler of Node.js needs thousands of requests.
        let warm_up = (requests / 4).max(if subject == Subject::Portkey { 3_000 } else { 500 });
        connections.send(kind, warm_up).await;
        let measured = Measured {
            name: proxy.name.clone(),
            cpu_times: Vec::new(),
            throughput: Vec::new(),
            outcomes: Outcomes::default(),
        };
        Self { proxy, connections, requests, warm_up, measured }
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.measured.name);
        self
    }

    /// Returns the number of all requests after the check that the proxy forwards.
    pub(crate) fn sent(&self) -> usize {
        self.warm_up + self.measured.cpu_times.len() * self.requests
    }

    async fn measure(&mut self, kind: Kind) {
        // Node.js closes connections after 5 s between two rounds.
        self.connections.open_closed().await;
        let (start, before) = (Instant::now(), self.proxy.process.cpu_time());
        let outcomes = self.connections.send(kind, self.requests).await;
        let elapsed = start.elapsed();
        let cpu_time = self.proxy.process.cpu_time().saturating_sub(before);
        self.measured.cpu_times.push(cpu_time.as_secs_f64() / self.requests as f64);
        self.measured.throughput.push(self.requests as f64 / elapsed.as_secs_f64());
        self.measured.outcomes.add(&outcomes);
    }
}

/// Measures all proxies in each round.
pub(crate) async fn measure(lab: &Lab, candidates: &mut [Candidate], kind: Kind) {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    for _ in 0..lab.arguments.rounds {
        fastrand::shuffle(&mut order);
        for &index in &order {
            candidates[index].measure(kind).await;
        }
    }
}

/// Panics if a request of a proxy failed.
pub(crate) fn assert_success(candidates: &[Candidate]) {
    for Measured { name, outcomes, .. } in candidates.iter().map(|it| &it.measured) {
        assert_eq!(
            outcomes.successes(),
            outcomes.total(),
            "expected no failure of {name}, found {outcomes}"
        );
    }
}
