//! User code that panics: the inner service, the classifier, a subscriber, a waker.

use std::{
    error::Error,
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
};

use futures_util::FutureExt;
use http::{Request, Response};
use seawall::{
    Failure,
    circuit_breaker::OpenBehavior,
    classify::{Classify, HttpClassifier},
    test_util::FlakyBody,
};
use tower::{Service, service_fn, util::BoxCloneService};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{self, SubscriberExt};

use super::{upstream::Body, *};
use crate::log_capture::listen;

fn one_failure() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().failure_ratio(None).consecutive_failures(NonZeroU32::MIN)
}

async fn panics<T>(call: impl Future<Output = T>) -> bool {
    AssertUnwindSafe(call).catch_unwind().await.is_err()
}

/// The user code in `layer` panics while the flag is set.
async fn assert_panicking_code_releases_probe_permits<C>(
    layer: CircuitBreakerLayer<C>,
    told_to: &AtomicBool,
) where
    C: Classify<Response<FlakyBody>> + Clone,
{
    let upstream = upstream(Step::status(502));
    let call = async || layer.layer(upstream.clone()).oneshot(get()).await;
    for _ in 0..2 {
        call().await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Open);
    advance(seconds(2)).await;
    told_to.store(true, Relaxed);
    for _ in 0..2 * PROBES {
        assert!(panics(call()).await);
    }
    // The panics do not count as results.
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.state(), snapshot.calls()), (State::HalfOpen, 0));
    told_to.store(false, Relaxed);
    upstream.set_script(Step::status(200)).unwrap();
    for _ in 0..3 {
        call().await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn panicking_failure_predicate_releases_probe_permit() {
    let told_to = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&told_to);
    let layer = quick().failure_predicate(move |_| {
        assert!(!asked.load(Relaxed), "on purpose");
        true
    });
    assert_panicking_code_releases_probe_permits(layer, &told_to).await;
}

#[derive(Clone)]
struct Panicking(Arc<AtomicBool>);

impl<Res> Classify<Res> for Panicking
where
    HttpClassifier: Classify<Res>,
{
    fn classify(&self, outcome: Result<&Res, &(dyn Error + 'static)>) -> Option<Failure> {
        assert!(!self.0.load(Relaxed), "on purpose");
        HttpClassifier::new().classify(outcome)
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_classifier_releases_probe_permit() {
    let told_to = Arc::new(AtomicBool::new(false));
    let layer = quick().classifier(Panicking(Arc::clone(&told_to)));
    assert_panicking_code_releases_probe_permits(layer, &told_to).await;
}

/// A subscriber that panics at the event of a change to this state.
struct PanicsAt(State);

impl<S: Subscriber> layer::Layer<S> for PanicsAt {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        struct New(String);
        impl Visit for New {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "new" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut new = New(String::new());
        event.record(&mut new);
        assert_ne!(new.0, format!("{:?}", self.0.as_str()), "on purpose");
    }
}

#[tokio::test(start_paused = true)]
async fn subscriber_panicking_at_half_open_takes_no_permit() {
    for layer in
        [quick().half_open_probes(NonZeroU32::MIN), one_failure().half_open_probes(NonZeroU32::MIN)]
    {
        let upstream = upstream(Step::status(502));
        open(&layer, &upstream).await;
        upstream.set_script(Step::status(200)).unwrap();
        advance(seconds(2)).await;
        let guard = listen(tracing_subscriber::registry().with(PanicsAt(State::HalfOpen)));
        assert!(panics(layer.layer(upstream.clone()).oneshot(get())).await);
        drop(guard);
        assert_eq!(layer.handle().state(), State::HalfOpen);
        layer.layer(upstream).oneshot(get()).await.unwrap();
        assert_eq!(layer.handle().state(), State::Closed);
    }
}

/// Opens the circuit of `layer` by the panic of a call. A second panic while it unwinds would abort the process.
async fn opens_by_a_panic(layer: &CircuitBreakerLayer) {
    let inner = service_fn(async |_: Request<Body>| -> Result<Response<Body>, BoxError> {
        panic!("on purpose")
    });
    // An async block drops the call as the thread unwinds.
    assert!(panics(async { layer.layer(inner).oneshot(get()).await }).await);
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn panicking_subscriber_does_not_abort_when_panic_opens() {
    let _guard = listen(tracing_subscriber::registry().with(PanicsAt(State::Open)));
    opens_by_a_panic(&one_failure()).await;
}

struct PanicsAsItIsWoken;

impl Wake for PanicsAsItIsWoken {
    fn wake(self: Arc<Self>) {
        panic!("on purpose")
    }
}

type Inner = BoxCloneService<Request<Body>, Response<FlakyBody>, BoxError>;

/// A service with one permit, held by a call that never ends. Its waiters are woken when the circuit opens.
fn busy() -> (Inner, impl Sized) {
    let busy = ServiceBuilder::new().concurrency_limit(1).service(upstream(Step::silent()));
    let mut call = task::spawn(busy.clone().oneshot(get()));
    assert_pending!(call.poll());
    (busy.boxed_clone(), call)
}

fn waits_and_panics(service: &mut impl Service<Request<Body>, Error: fmt::Debug>) {
    let waker = Waker::from(Arc::new(PanicsAsItIsWoken));
    assert_pending!(service.poll_ready(&mut Context::from_waker(&waker)));
}

#[tokio::test(start_paused = true)]
async fn panicking_waker_does_not_abort_when_panic_opens_circuit() {
    let layer = one_failure().open_behavior(OpenBehavior::Backpressure);
    let (busy, _call) = busy();
    let mut service = layer.layer(busy);
    waits_and_panics(&mut service);
    opens_by_a_panic(&layer).await;
}

#[tokio::test(start_paused = true)]
async fn change_is_reported_by_the_next_call_when_a_panic_caused_it() {
    let layer = one_failure();
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    opens_by_a_panic(&layer).await;
    assert!(recorder.events().is_empty());
    layer.layer(upstream(Step::status(200))).oneshot(get()).await.unwrap_err();
    let events = recorder.events();
    assert_eq!((events.len(), events[0].get("new")), (1, Some("open")));
}

#[tokio::test(start_paused = true)]
async fn caught_panic_is_failure_when_future_is_dropped() {
    let inner = service_fn(async |_: Request<Body>| -> Result<Response<Body>, BoxError> {
        panic!("on purpose")
    });
    let layer = one_failure();
    let mut call = task::spawn(layer.layer(inner).oneshot(get()));
    assert!(std::panic::catch_unwind(AssertUnwindSafe(|| call.poll().is_ready())).is_err());
    drop(call);
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn call_is_not_failure_when_caller_panics() {
    let layer = CircuitBreakerLayer::new();
    let call = async {
        let mut call = task::spawn(layer.layer(upstream(Step::silent())).oneshot(get()));
        assert_pending!(call.poll());
        panic!("on purpose");
    };
    assert!(panics::<()>(call).await);
    assert_eq!(layer.handle().snapshot().calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_service_is_woken_when_released_during_unwinding() {
    struct ReleaseOnDrop(seawall::circuit_breaker::Circuit);
    impl Drop for ReleaseOnDrop {
        fn drop(&mut self) {
            self.0.release();
        }
    }
    let layer = one_failure().open_behavior(OpenBehavior::Backpressure);
    layer.handle().force_open();
    let mut service = layer.layer(upstream(Step::status(200)));
    let waiting = tokio::spawn(async move {
        std::future::poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut service, cx)).await
    });
    tokio::task::yield_now().await;
    let released = ReleaseOnDrop(layer.handle());
    let unwound = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _released = released;
        panic!("maintenance fails");
    }));
    assert!(unwound.is_err());
    let ready = tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await;
    ready.expect("the service looks again").unwrap().unwrap();
}
