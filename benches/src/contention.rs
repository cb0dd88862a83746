//! One breaker, or one whole stack, used by several threads at once.

use std::{
    fmt::Debug,
    hint::black_box,
    pin::pin,
    sync::{Arc, Barrier},
    task::{Context, Waker},
    thread,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use recloser::AsyncRecloser;
use seawall::{CircuitBreakerLayer, StandardLayer, circuit_breaker::by_authority};
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::{
    breakers::{Failsafe, Locked, Recloser},
    rows::{
        resilience_breaker,
        stacks::{of_resilience, of_tower, timed, with_breaker, with_failsafe, with_recloser},
    },
    runtime,
    service::Ready,
};

/// A row: its name, and what takes nanoseconds a call, as a thread sees it, for so many threads and calls each.
pub type Job = (String, Box<dyn Fn(usize, usize) -> f64>);

type Outgoing = Request<Full<Bytes>>;

/// The breakers; the first is the base.
#[must_use]
pub fn breakers() -> Vec<Job> {
    let mut jobs = vec![
        job("bare", 1, Ready),
        job("floor: mutex breaker", 1, Locked { inner: Ready, ring: Arc::default() }),
        job("seawall", 1, CircuitBreakerLayer::new().layer(Ready)),
        job("tower-resilience", 1, resilience_breaker().layer(Ready)),
        job("failsafe", 1, Failsafe { inner: Ready, breaker: failsafe::Config::new().build() }),
        job(
            "recloser",
            1,
            Recloser { inner: Ready, breaker: AsyncRecloser::from(recloser::Recloser::default()) },
        ),
    ];
    for keys in [1, 1_000, 4_096] {
        let name = format!("seawall, {keys} of 4,096 keys");
        jobs.push(job(&name, keys, CircuitBreakerLayer::new().keyed(by_authority).layer(Ready)));
    }
    jobs
}

/// The whole stacks, with the settings in `rows::stacks`; the first is the base.
#[must_use]
pub fn stacks() -> Vec<Job> {
    vec![
        job("bare", 1, Ready),
        job("seawall", 1, StandardLayer::new("billing").layer(Ready)),
        job("tower, tower-http, no breaker", 1, timed(of_tower(Ready))),
        job("tower, tower-http, tower-resilience's breaker", 1, timed(with_breaker(Ready))),
        job("tower, tower-http, failsafe", 1, timed(with_failsafe(Ready))),
        job("tower, tower-http, recloser", 1, timed(with_recloser(Ready))),
        job("tower-resilience, log and body by tower-http", 1, timed(of_resilience(Ready))),
    ]
}

fn job<S, B>(name: &str, keys: usize, service: S) -> Job
where
    S: Service<Outgoing, Response = Response<B>, Error: Debug> + Clone + Send + 'static,
    B: Body,
{
    let run = move |threads: usize, calls: usize| {
        let barrier = Arc::new(Barrier::new(threads));
        let spawn = |_| {
            let (mut service, barrier) = (service.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                // Each thread has its own: copies of one share a count.
                let uri = |key| format!("http://h{key}/").parse().expect("a URI");
                let uris: Vec<Uri> = (0..keys).map(uri).collect();
                runtime::enter(|| {
                    drive(&mut service, &uris, 2_000);
                    barrier.wait();
                    let started = Instant::now();
                    drive(&mut service, &uris, calls);
                    started.elapsed().as_nanos() as f64 / calls as f64
                })
            })
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        let count = threads.len() as f64;
        let times = threads.into_iter().map(|it| it.join().expect("nothing here panics"));
        times.sum::<f64>() / count
    };
    (name.to_owned(), Box::new(run))
}

/// The request is built inside: the row "bare" tells what that takes.
fn drive<S, B>(service: &mut S, uris: &[Uri], calls: usize)
where
    S: Service<Outgoing, Response = Response<B>, Error: Debug>,
{
    let mut cx = Context::from_waker(Waker::noop());
    for uri in uris.iter().cycle().take(calls) {
        let mut request = Request::new(Full::default());
        request.uri_mut().clone_from(uri);
        assert!(service.poll_ready(&mut cx).is_ready());
        let mut future = pin!(service.call(black_box(request)));
        // A breaker with an asynchronous lock may be pending.
        while future.as_mut().poll(&mut cx).map(black_box).is_pending() {}
    }
}

/// What a read of the clock takes here.
#[must_use]
pub fn clock() -> f64 {
    const READS: u32 = 1_000_000;
    let started = Instant::now();
    for _ in 0..READS {
        black_box(Instant::now());
    }
    started.elapsed().as_nanos() as f64 / f64::from(READS)
}
