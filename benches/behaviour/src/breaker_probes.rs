use std::future::ready;

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::oneshot,
    time::{pause, resume, sleep},
};

use crate::{
    breakers::{Breaker, OPEN, Outcome, Peer},
    probes::Seen,
};

pub(crate) async fn run(peer: &Peer) -> Vec<Seen> {
    if peer.is_ours {
        pause();
    }
    let seen = vec![
        calls_given_up(peer).await,
        a_probe_given_up(peer).await,
        failures_after_it_closed(peer).await,
        failures_while_half_open(peer).await,
        a_success_while_half_open(peer).await,
        after_many_successes(peer).await,
        many_callers(peer).await,
    ];
    if peer.is_ours {
        resume();
    }
    seen
}

/// A new one.
struct Asked(Breaker);

impl Asked {
    fn new(peer: &Peer) -> Self {
        Self((peer.make)())
    }

    async fn call(&self, result: Result<(), ()>) -> Outcome {
        (self.0)(Box::pin(ready(result))).await
    }

    /// None if it is refused.
    fn start(&self) -> Option<UnderWay> {
        let (end, ended) = oneshot::channel();
        let mut outcome = (self.0)(Box::pin(async move { ended.await.unwrap_or(Err(())) }));
        (&mut outcome).now_or_never().is_none().then_some(UnderWay { outcome, end })
    }

    fn start_many<const N: usize>(&self) -> [UnderWay; N] {
        std::array::from_fn(|_| self.start().expect("a call through a closed circuit"))
    }

    /// How many failures it takes.
    async fn opens(&self) -> usize {
        let mut failures = 0;
        while self.call(Err(())).await != Outcome::Refused {
            failures += 1;
            assert!(failures < 100_000, "never opens");
        }
        failures
    }

    async fn becomes_half_open(&self) {
        self.opens().await;
        sleep(OPEN + OPEN / 2).await;
    }

    fn passed_of(&self, callers: usize) -> usize {
        let passed: Vec<_> = (0..callers).filter_map(|_| self.start()).collect();
        passed.len()
    }
}

struct UnderWay {
    outcome: BoxFuture<'static, Outcome>,
    end: oneshot::Sender<Result<(), ()>>,
}

impl UnderWay {
    async fn end(self, result: Result<(), ()>) {
        self.end.send(result).expect("the call waits for it");
        self.outcome.await;
    }
}

async fn calls_given_up(peer: &Peer) -> Seen {
    let without = Asked::new(peer).opens().await;
    let breaker = Asked::new(peer);
    for _ in 0..30 {
        drop(breaker.start());
    }
    let failures = breaker.opens().await;
    let seen = format!("opens after {failures} failures, without them after {without}");
    ("calls that are given up count as nothing", failures == without, seen)
}

async fn a_probe_given_up(peer: &Peer) -> Seen {
    let breaker = Asked::new(peer);
    breaker.becomes_half_open().await;
    let probe = breaker.start();
    let passed = probe.is_some();
    drop(probe);
    let next = breaker.call(Ok(())).await;
    let seen = format!("the next call: {next:?}");
    ("a probe that is given up gives its place back", passed && next == Outcome::Well, seen)
}

async fn failures_after_it_closed(peer: &Peer) -> Seen {
    let breaker = Asked::new(peer);
    let late = breaker.start_many::<10>();
    breaker.becomes_half_open().await;
    let mut closed = Outcome::Failed;
    for _ in 0..3 {
        closed = breaker.call(Ok(())).await;
    }
    for call in late {
        call.end(Err(())).await;
    }
    let next = breaker.call(Ok(())).await;
    let passed = (closed, next) == (Outcome::Well, Outcome::Well);
    let seen = format!("the next call: {next:?}");
    ("ten failures of before, once it has closed again, do not open it", passed, seen)
}

async fn failures_while_half_open(peer: &Peer) -> Seen {
    let breaker = Asked::new(peer);
    let late = breaker.start_many::<2>();
    breaker.becomes_half_open().await;
    let probe = breaker.start().expect("a probe");
    for call in late {
        call.end(Err(())).await;
    }
    probe.end(Ok(())).await;
    let next = breaker.call(Ok(())).await;
    let seen = format!("after the probe has succeeded: {next:?}");
    (
        "two failures of before, while a probe is under way, do not open it",
        next == Outcome::Well,
        seen,
    )
}

async fn a_success_while_half_open(peer: &Peer) -> Seen {
    let breaker = Asked::new(peer);
    let [late] = breaker.start_many();
    breaker.becomes_half_open().await;
    let _probe = breaker.start().expect("a probe");
    late.end(Ok(())).await;
    let passed = breaker.passed_of(20);
    let what = "a success of before, while a probe is under way, does not close it";
    (what, passed == 0, format!("{passed} of 20 pass"))
}

async fn after_many_successes(peer: &Peer) -> Seen {
    let breaker = Asked::new(peer);
    for _ in 0..1_000 {
        breaker.call(Ok(())).await;
    }
    let failures = breaker.opens().await;
    let seen = format!("opens after {failures} failures");
    ("after 1,000 successes it opens by ten failures or fewer", failures <= 10, seen)
}

async fn many_callers(peer: &Peer) -> Seen {
    let breaker = Asked::new(peer);
    breaker.becomes_half_open().await;
    let passed = breaker.passed_of(100);
    ("when it is half-open one caller of 100 passes", passed == 1, format!("{passed} of 100 pass"))
}
