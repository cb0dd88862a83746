//! Calls on several threads. No assertion depends on measured time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
};

use http::Request;

use super::{upstream::Body, *};

const THREADS: usize = 4;

/// Runs `work` on each thread, in its own runtime, concurrently.
fn on_threads<T: Send>(work: impl Fn(&tokio::runtime::Runtime) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(THREADS);
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        barrier.wait();
        work(&runtime)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn breaker_bounds_probes_in_flight_when_half_open() {
    // A refused request does not count as received.
    let upstream = upstream(Step::refuse());
    let layer = opens_at_two().open_duration(Duration::ZERO);
    for _ in 0..2 {
        let call = layer.layer(upstream.clone()).oneshot(get());
        assert!(futures_util::FutureExt::now_or_never(call).unwrap().is_err());
    }
    upstream.set_script(Step::silent()).unwrap();
    let hanging: Vec<_> = on_threads(|_| {
        let calls = (0..1_000).map(|_| task::spawn(layer.layer(upstream.clone()).oneshot(get())));
        calls.filter_map(|mut call| call.poll().is_pending().then_some(call)).collect::<Vec<_>>()
    });
    assert_eq!(upstream.requests(), u64::from(PROBES));
    assert_eq!(hanging.iter().flatten().count() as u32, PROBES);
    assert_eq!(layer.handle().state(), State::HalfOpen);
}

#[test]
fn breaker_emits_each_state_change_exactly_once() {
    let consecutive = CircuitBreakerLayer::new().without_failure_ratio();
    for layer in [opens_at_two(), consecutive.consecutive_failures(NonZeroU32::new(4).unwrap())] {
        assert_each_change_emitted_once(&layer.open_duration(Duration::ZERO));
    }
}

fn assert_each_change_emitted_once(layer: &CircuitBreakerLayer) {
    let calls = Arc::new(AtomicU64::new(0));
    let events = on_threads(|runtime| {
        let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
        let calls = Arc::clone(&calls);
        let inner = tower::service_fn(move |_: Request<Body>| {
            // The upstream alternates between failure and success.
            let fails = (calls.fetch_add(1, Ordering::Relaxed) / 7).is_multiple_of(2);
            async move {
                tokio::task::yield_now().await;
                let status = if fails { 502 } else { 200 };
                Ok::<_, BoxError>(crate::support::response::<Body>(status))
            }
        });
        runtime.block_on(async {
            for _ in 0..500 {
                let calls = (0..8).map(|_| layer.layer(inner.clone()).oneshot(get()));
                futures_util::future::join_all(calls).await;
            }
        });
        recorder.events().into_iter().filter(|event| event.get("old").is_some()).collect::<Vec<_>>()
    });
    let mut transitions = BTreeMap::new();
    for event in events.iter().flatten() {
        let change = (event.get("old").unwrap().to_owned(), event.get("new").unwrap().to_owned());
        *transitions.entry(change).or_insert(0) += 1;
    }
    let count =
        |old: &str, new: &str| transitions.get(&(old.into(), new.into())).copied().unwrap_or(0);
    let is_in = |state| i32::from(layer.handle().state() == state);
    // Each state was left as often as it was entered, except the current one.
    assert!(count("closed", "open") > 10, "{transitions:?}");
    assert_eq!(count("half_open", "closed") + 1, count("closed", "open") + is_in(State::Closed));
    assert_eq!(
        count("closed", "open") + count("half_open", "open"),
        count("open", "half_open") + is_in(State::Open)
    );
    assert_eq!(
        count("open", "half_open"),
        count("half_open", "closed") + count("half_open", "open") + is_in(State::HalfOpen)
    );
    assert_eq!(transitions.len(), 4, "{transitions:?}");
}
