//! Panics of user code: the inner service, the classifier, a subscriber or a waker.

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
use crate::log_capture::set_subscriber;

fn opens_at_one() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().without_failure_ratio().consecutive_failures(NonZeroU32::MIN)
}

async fn panics<T>(call: impl Future<Output = T>) -> bool {
    AssertUnwindSafe(call).catch_unwind().await.is_err()
}

/// Asserts that panics of the user code in `layer` hold no probe permit.
///
/// The user code panics while `panic_enabled` is true.
async fn assert_panicking_code_releases_probe_permits<C>(
    layer: CircuitBreakerLayer<C>,
    panic_enabled: &AtomicBool,
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
    panic_enabled.store(true, Relaxed);
    for _ in 0..2 * PROBES {
        assert!(panics(call()).await);
    }
    // The panics do not count as results.
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.state(), snapshot.calls()), (State::HalfOpen, 0));
    panic_enabled.store(false, Relaxed);
    upstream.set_script(Step::status(200)).unwrap();
    for _ in 0..3 {
        call().await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn panicking_failure_predicate_releases_probe_permit() {
    let panic_enabled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&panic_enabled);
    let layer = opens_at_two().failure_predicate(move |_| {
        assert!(!flag.load(Relaxed), "panic on purpose");
        true
    });
    assert_panicking_code_releases_probe_permits(layer, &panic_enabled).await;
}

#[derive(Clone)]
struct PanickingClassifier(Arc<AtomicBool>);

impl<Res> Classify<Res> for PanickingClassifier
where
    HttpClassifier: Classify<Res>,
{
    fn classify(&self, outcome: Result<&Res, &(dyn Error + 'static)>) -> Option<Failure> {
        assert!(!self.0.load(Relaxed), "panic on purpose");
        HttpClassifier::new().classify(outcome)
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_classifier_releases_probe_permit() {
    let panic_enabled = Arc::new(AtomicBool::new(false));
    let layer = opens_at_two().classifier(PanickingClassifier(Arc::clone(&panic_enabled)));
    assert_panicking_code_releases_probe_permits(layer, &panic_enabled).await;
}

/// A subscriber that panics at the event of a change to the given state.
struct PanicsAt(State);

impl<S: Subscriber> layer::Layer<S> for PanicsAt {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        struct NewState(String);
        impl Visit for NewState {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "new" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut new = NewState(String::new());
        event.record(&mut new);
        assert_ne!(new.0, format!("{:?}", self.0.as_str()), "panic on purpose");
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_subscriber_holds_no_permit_when_half_open() {
    for layer in [
        opens_at_two().half_open_probes(NonZeroU32::MIN),
        opens_at_one().half_open_probes(NonZeroU32::MIN),
    ] {
        let upstream = upstream(Step::status(502));
        open(&layer, &upstream).await;
        upstream.set_script(Step::status(200)).unwrap();
        advance(seconds(2)).await;
        let guard = set_subscriber(tracing_subscriber::registry().with(PanicsAt(State::HalfOpen)));
        assert!(panics(layer.layer(upstream.clone()).oneshot(get())).await);
        drop(guard);
        assert_eq!(layer.handle().state(), State::HalfOpen);
        layer.layer(upstream).oneshot(get()).await.unwrap();
        assert_eq!(layer.handle().state(), State::Closed);
    }
}

/// Opens the circuit of `layer` by the panic of a call.
///
/// A second panic during unwinding would abort the process.
async fn open_by_panic(layer: &CircuitBreakerLayer) {
    let inner = service_fn(async |_: Request<Body>| -> Result<Response<Body>, BoxError> {
        panic!("panic on purpose")
    });
    // The async block drops the call while the thread unwinds.
    assert!(panics(async { layer.layer(inner).oneshot(get()).await }).await);
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn panicking_subscriber_does_not_abort_when_panic_opens_circuit() {
    let _guard = set_subscriber(tracing_subscriber::registry().with(PanicsAt(State::Open)));
    open_by_panic(&opens_at_one()).await;
}

struct PanickingWaker;

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("panic on purpose")
    }
}

type InnerService = BoxCloneService<Request<Body>, Response<FlakyBody>, BoxError>;

/// Returns a service whose only permit is held by a call that never ends.
fn busy_service() -> (InnerService, impl Sized) {
    let busy = ServiceBuilder::new().concurrency_limit(1).service(upstream(Step::silent()));
    let mut call = task::spawn(busy.clone().oneshot(get()));
    assert_pending!(call.poll());
    (busy.boxed_clone(), call)
}

fn register_panicking_waker(service: &mut impl Service<Request<Body>, Error: fmt::Debug>) {
    let waker = Waker::from(Arc::new(PanickingWaker));
    assert_pending!(service.poll_ready(&mut Context::from_waker(&waker)));
}

#[tokio::test(start_paused = true)]
async fn panicking_waker_does_not_abort_when_panic_opens_circuit() {
    let layer = opens_at_one().open_behavior(OpenBehavior::Backpressure);
    let (busy, _call) = busy_service();
    let mut service = layer.layer(busy);
    register_panicking_waker(&mut service);
    open_by_panic(&layer).await;
}

#[tokio::test(start_paused = true)]
async fn next_call_emits_event_when_panic_opened_circuit() {
    let layer = opens_at_one();
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    open_by_panic(&layer).await;
    assert!(recorder.events().is_empty());
    layer.layer(upstream(Step::status(200))).oneshot(get()).await.unwrap_err();
    let events = recorder.events();
    assert_eq!((events.len(), events[0].get("new")), (1, Some("open")));
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_caught_panic_when_future_is_dropped() {
    let inner = service_fn(async |_: Request<Body>| -> Result<Response<Body>, BoxError> {
        panic!("panic on purpose")
    });
    let layer = opens_at_one();
    let mut call = task::spawn(layer.layer(inner).oneshot(get()));
    assert!(std::panic::catch_unwind(AssertUnwindSafe(|| call.poll().is_ready())).is_err());
    drop(call);
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn breaker_does_not_count_call_when_caller_panics() {
    let layer = CircuitBreakerLayer::new();
    let call = async {
        let mut call = task::spawn(layer.layer(upstream(Step::silent())).oneshot(get()));
        assert_pending!(call.poll());
        panic!("panic on purpose");
    };
    assert!(panics::<()>(call).await);
    assert_eq!(layer.handle().snapshot().calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn release_wakes_waiting_service_during_unwinding() {
    struct ReleaseOnDrop(seawall::circuit_breaker::Circuit);
    impl Drop for ReleaseOnDrop {
        fn drop(&mut self) {
            self.0.release();
        }
    }
    let layer = opens_at_one().open_behavior(OpenBehavior::Backpressure);
    layer.handle().force_open();
    let mut service = layer.layer(upstream(Step::status(200)));
    let waiting = tokio::spawn(async move {
        std::future::poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut service, cx)).await
    });
    tokio::task::yield_now().await;
    let release_on_drop = ReleaseOnDrop(layer.handle());
    let unwound = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _release_on_drop = release_on_drop;
        panic!("panic on purpose");
    }));
    assert!(unwound.is_err());
    let ready = tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await;
    ready.expect("the waiting service is woken").unwrap().unwrap();
}
