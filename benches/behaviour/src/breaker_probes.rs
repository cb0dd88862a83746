//! Probes of circuit breakers.

use std::future::ready;

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::oneshot,
    time::{pause, resume, sleep},
};

use crate::{
    breakers::{Breaker, OPEN_FOR, Outcome, Peer},
    retry_probes::ProbeResult,
};

pub(crate) async fn run(peer: &Peer) -> Vec<ProbeResult> {
    if peer.is_seawall {
        pause();
    }
    let results = vec![
        cancelled_calls(peer).await,
        cancelled_probe(peer).await,
        stale_failures_after_close(peer).await,
        stale_failures_while_half_open(peer).await,
        stale_success_while_half_open(peer).await,
        failures_after_many_successes(peer).await,
        callers_while_half_open(peer).await,
    ];
    if peer.is_seawall {
        resume();
    }
    results
}

/// A breaker under test.
struct Subject(Breaker);

impl Subject {
    fn new(peer: &Peer) -> Self {
        Self((peer.make)())
    }

    async fn call(&self, result: Result<(), ()>) -> Outcome {
        (self.0)(Box::pin(ready(result))).await
    }

    /// Starts a call. Returns `None` if the breaker rejects it.
    fn start(&self) -> Option<InFlightCall> {
        let (end, ended) = oneshot::channel();
        let mut outcome = (self.0)(Box::pin(async move { ended.await.unwrap_or(Err(())) }));
        (&mut outcome).now_or_never().is_none().then_some(InFlightCall { outcome, end })
    }

    fn start_many<const N: usize>(&self) -> [InFlightCall; N] {
        std::array::from_fn(|_| self.start().expect("a closed circuit admits the call"))
    }

    /// Makes failing calls until the breaker opens, and returns their number.
    async fn fail_until_open(&self) -> usize {
        let mut failures = 0;
        while self.call(Err(())).await != Outcome::Rejected {
            failures += 1;
            assert!(failures < 100_000, "the breaker never opens");
        }
        failures
    }

    async fn make_half_open(&self) {
        self.fail_until_open().await;
        sleep(OPEN_FOR + OPEN_FOR / 2).await;
    }

    fn count_admitted(&self, callers: usize) -> usize {
        let admitted: Vec<_> = (0..callers).filter_map(|_| self.start()).collect();
        admitted.len()
    }
}

struct InFlightCall {
    outcome: BoxFuture<'static, Outcome>,
    end: oneshot::Sender<Result<(), ()>>,
}

impl InFlightCall {
    async fn end(self, result: Result<(), ()>) {
        self.end.send(result).expect("the call is in flight");
        self.outcome.await;
    }
}

async fn cancelled_calls(peer: &Peer) -> ProbeResult {
    let baseline = Subject::new(peer).fail_until_open().await;
    let breaker = Subject::new(peer);
    for _ in 0..30 {
        drop(breaker.start());
    }
    let failures = breaker.fail_until_open().await;
    let observed =
        format!("opens after {failures} failures, without cancellations after {baseline}");
    ("cancelled calls are not counted", failures == baseline, observed)
}

async fn cancelled_probe(peer: &Peer) -> ProbeResult {
    let breaker = Subject::new(peer);
    breaker.make_half_open().await;
    let probe = breaker.start();
    let passed = probe.is_some();
    drop(probe);
    let next = breaker.call(Ok(())).await;
    let observed = format!("the next call: {next:?}");
    ("a cancelled probe releases its permit", passed && next == Outcome::Ok, observed)
}

async fn stale_failures_after_close(peer: &Peer) -> ProbeResult {
    let breaker = Subject::new(peer);
    let stale = breaker.start_many::<10>();
    breaker.make_half_open().await;
    let mut closed = Outcome::Failed;
    for _ in 0..3 {
        closed = breaker.call(Ok(())).await;
    }
    for call in stale {
        call.end(Err(())).await;
    }
    let next = breaker.call(Ok(())).await;
    let passed = (closed, next) == (Outcome::Ok, Outcome::Ok);
    let observed = format!("the next call: {next:?}");
    ("ten stale failures do not open a closed circuit", passed, observed)
}

async fn stale_failures_while_half_open(peer: &Peer) -> ProbeResult {
    let breaker = Subject::new(peer);
    let stale = breaker.start_many::<2>();
    breaker.make_half_open().await;
    let probe = breaker.start().expect("a half-open circuit admits a probe");
    for call in stale {
        call.end(Err(())).await;
    }
    probe.end(Ok(())).await;
    let next = breaker.call(Ok(())).await;
    let observed = format!("after a successful probe: {next:?}");
    ("two stale failures do not end a probe", next == Outcome::Ok, observed)
}

async fn stale_success_while_half_open(peer: &Peer) -> ProbeResult {
    let breaker = Subject::new(peer);
    let [stale] = breaker.start_many();
    breaker.make_half_open().await;
    let _probe = breaker.start().expect("a half-open circuit admits a probe");
    stale.end(Ok(())).await;
    let admitted = breaker.count_admitted(20);
    let probe = "a stale success does not end a probe";
    (probe, admitted == 0, format!("{admitted} of 20 admitted"))
}

async fn failures_after_many_successes(peer: &Peer) -> ProbeResult {
    let breaker = Subject::new(peer);
    for _ in 0..1_000 {
        breaker.call(Ok(())).await;
    }
    let failures = breaker.fail_until_open().await;
    let observed = format!("opens after {failures} failures");
    ("ten failures open a circuit after 1,000 successes", failures <= 10, observed)
}

async fn callers_while_half_open(peer: &Peer) -> ProbeResult {
    let breaker = Subject::new(peer);
    breaker.make_half_open().await;
    let admitted = breaker.count_admitted(100);
    (
        "a half-open circuit admits one caller of 100",
        admitted == 1,
        format!("{admitted} of 100 admitted"),
    )
}
