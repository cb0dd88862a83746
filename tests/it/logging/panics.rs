//! Panics in subscribers, handlers and user closures.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_util::FutureExt;
use seawall::standard::StandardLayer;
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{layer::Context, layer::SubscriberExt};

use super::*;
use crate::log_capture::set_subscriber;

#[derive(Clone, Default)]
struct Panics(Arc<AtomicBool>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Panics {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        assert!(!self.0.load(Ordering::Relaxed), "the subscriber panics");
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_subscriber_fails_only_its_own_request() {
    let (panics, recorder) = (Panics::default(), Recorder::default());
    let _guard =
        set_subscriber(tracing_subscriber::registry().with(recorder.clone()).with(panics.clone()));
    let service = LoggingLayer::server().layer(Script::new([answer(200), answer(200)]));
    panics.0.store(true, Ordering::Relaxed);
    // The subscriber panics during a poll and during a drop.
    let call = AssertUnwindSafe(service.clone().oneshot(get(URL))).catch_unwind().await;
    assert!(call.is_err());
    let mut hangs = LoggingLayer::server().layer(Script::new([Action::<Body>::Stall]));
    let call = hangs.call(get(URL));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_err());
    panics.0.store(false, Ordering::Relaxed);
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    assert_eq!(recorder.lines().last().unwrap().message(), "GET /a/b -> 200 in 0.0ns");
    // Each outcome is emitted once, despite the panics.
    assert_eq!(recorder.lines().iter().filter(|it| it.get("seawall.outcome").is_some()).count(), 3);
}

/// A subscriber that behaves as if its lock were poisoned: it panics on each event and span end.
#[derive(Clone, Default)]
struct Poisoned(Panics);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Poisoned {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.0.on_event(event, context);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        assert!(!self.0.0.load(Ordering::Relaxed), "the subscriber panics");
    }
}

#[tokio::test(start_paused = true)]
async fn subscriber_panic_does_not_abort_when_span_panics_too() {
    let poisoned = Poisoned::default();
    let _guard = set_subscriber(tracing_subscriber::registry().with(poisoned.clone()));
    let service = LoggingLayer::server().layer(Script::new([answer(200), answer(200)]));
    poisoned.0.0.store(true, Ordering::Relaxed);
    let call = AssertUnwindSafe(service.clone().oneshot(get(URL))).catch_unwind().await;
    assert!(call.is_err());
    poisoned.0.0.store(false, Ordering::Relaxed);
    assert_eq!(service.oneshot(get(URL)).await.unwrap().status(), 200);
}

/// A subscriber that, while enabled, panics when a span is created or when fields are recorded.
#[derive(Clone)]
struct PanicsInSpans {
    on_creation: bool,
    enabled: Arc<AtomicBool>,
}

impl PanicsInSpans {
    /// Installs the subscriber, still disabled, together with a recorder.
    fn start(on_creation: bool) -> (Self, Recorder, DefaultGuard) {
        let panics = Self { on_creation, enabled: Arc::default() };
        let recorder = Recorder::default();
        let subscriber = tracing_subscriber::registry().with(recorder.clone());
        let guard = set_subscriber(subscriber.with(panics.clone()));
        (panics, recorder, guard)
    }

    fn maybe_panic(&self, on_creation: bool) {
        let panics = on_creation == self.on_creation && self.enabled.load(Ordering::Relaxed);
        assert!(!panics, "the subscriber panics");
    }
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for PanicsInSpans {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.maybe_panic(true);
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.maybe_panic(false);
    }
}

#[tokio::test(start_paused = true)]
async fn subscriber_panic_in_span_fails_only_its_own_request() {
    for on_creation in [true, false] {
        let (panics, recorder, _guard) = PanicsInSpans::start(on_creation);
        let layer = LoggingLayer::server().otel_spans();
        let call = async |act| {
            let call = layer.layer(Script::new([act])).oneshot(get(URL));
            // The fields of the span are recorded at the end of the body.
            if let Ok(response) = call.await {
                let _ = response.into_body().collect().await;
            }
        };
        panics.enabled.store(true, Ordering::Relaxed);
        // A call whose span cannot be created emits no line.
        let mut lines = 0;
        for act in [answer(200), Action::Fail("it fails".into())] {
            assert!(AssertUnwindSafe(call(act)).catch_unwind().await.is_err());
            lines += usize::from(!on_creation);
            assert_eq!(recorder.lines().len(), lines);
        }
        panics.enabled.store(false, Ordering::Relaxed);
        call(answer(200)).await;
        assert_eq!(recorder.lines().last().unwrap().message(), "GET /a/b -> 200 in 0.0ns");
        // The panic drops a call during unwinding. A second panic would abort the process.
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _call = layer.layer(Script::new([Action::<ScriptedBody>::Stall])).call(get(URL));
            panics.enabled.store(true, Ordering::Relaxed);
            panic!("the caller panics");
        }));
        assert!(unwound.is_err());
        assert_eq!(recorder.lines().len(), lines + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn subscriber_panic_in_stack_fails_only_its_own_request() {
    for on_creation in [true, false] {
        let (panics, recorder, _guard) = PanicsInSpans::start(on_creation);
        let stack = StandardLayer::new("items").logging(LoggingLayer::client().otel_spans());
        // A call that panics early consumes no act of the script.
        let client = stack.layer(Script::new([answer(200), answer(200)]));
        panics.enabled.store(true, Ordering::Relaxed);
        let call = async {
            drop(client.clone().oneshot(get(URL)).await.unwrap().into_body().collect().await);
        };
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
        panics.enabled.store(false, Ordering::Relaxed);
        drop(client.oneshot(get(URL)).await.unwrap().into_body().collect().await);
        let outcomes: Vec<_> = recorder
            .lines()
            .iter()
            .map(|it| it.get("seawall.outcome").unwrap().to_owned())
            .collect();
        let expected: &[_] = if on_creation { &["complete"] } else { &["complete", "complete"] };
        assert_eq!(outcomes, expected);
    }
}

/// A classifier that panics after a number of calls.
#[derive(Clone)]
struct PanickingClassifier(Arc<AtomicUsize>);

impl PanickingClassifier {
    fn after(times: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(times)))
    }
}

impl<Res> seawall::classify::Classify<Res> for PanickingClassifier {
    fn classify(&self, _: Result<&Res, &(dyn std::error::Error + 'static)>) -> Option<Failure> {
        assert!(self.0.fetch_sub(1, Ordering::Relaxed) > 0, "the classifier panics");
        None
    }
}

#[tokio::test(start_paused = true)]
async fn log_reports_classifier_panic() {
    let recorder = Recorder::default();
    let _guard = set_subscriber(tracing_subscriber::registry().with(recorder.clone()));
    let service = LoggingLayer::server()
        .classifier(PanickingClassifier::after(0))
        .layer(Script::new([answer(404)]));
    let call = AssertUnwindSafe(service.oneshot(get(URL))).catch_unwind().await;
    assert!(call.is_err());
    assert_eq!(recorder.line().message(), "GET /a/b -> panicked in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn stack_log_reports_classifier_panic() {
    let mut panicked = 0;
    for times in 0..8 {
        let recorder = Recorder::default();
        let _guard = set_subscriber(tracing_subscriber::registry().with(recorder.clone()));
        let stack = StandardLayer::new("items").classifier(PanickingClassifier::after(times));
        let client = stack.layer(Script::new([answer(404)]));
        let call = AssertUnwindSafe(client.oneshot(get(URL))).catch_unwind().await;
        if call.is_err() {
            panicked += 1;
            assert_eq!(recorder.line().get("error.type"), Some("panic"), "after {times}");
        }
    }
    assert!((2..8).contains(&panicked), "expected 2 to 7 panics, found {panicked}");
}

/// No line is emitted during unwinding, because another panic would abort the process.
#[tokio::test(start_paused = true)]
async fn log_omits_call_dropped_during_unwinding() {
    for subscriber_panics in [false, true] {
        let (panics, recorder) = (Panics::default(), Recorder::default());
        let _guard = set_subscriber(
            tracing_subscriber::registry().with(recorder.clone()).with(panics.clone()),
        );
        panics.0.store(subscriber_panics, Ordering::Relaxed);
        let service = LoggingLayer::server().layer(service_fn(async |request: Request<Body>| {
            assert_eq!(request.method(), "PUT", "the handler panics");
            Ok::<_, Infallible>(Response::new(Body::default()))
        }));
        // A runtime drops the call in the same way.
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _ = task::spawn(service.oneshot(get(URL))).poll();
        }));
        assert!(unwound.is_err());
        assert!(recorder.lines().is_empty());
    }
}

/// tower-http's `CatchPanicLayer` outside the log has the same effect.
#[tokio::test(start_paused = true)]
async fn log_reports_caught_handler_panic() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::server().layer(service_fn(async |request: Request<Body>| {
        assert_eq!(request.method(), "PUT", "the handler panics");
        Ok::<_, Infallible>(Response::new(Body::default()))
    }));
    assert!(AssertUnwindSafe(service.oneshot(get(URL))).catch_unwind().await.is_err());
    let line = recorder.line();
    assert_eq!(line.level, tracing::Level::WARN);
    assert_eq!(line.get("error.type"), Some("panic"));
    assert_eq!(line.message(), "GET /a/b -> panicked in 0.0ns");
}

/// An error whose `Display` fails after some text.
#[derive(Debug)]
struct FailingDisplay;

impl std::fmt::Display for FailingDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("half of")?;
        Err(std::fmt::Error)
    }
}

impl std::error::Error for FailingDisplay {}

#[tokio::test(start_paused = true)]
async fn log_keeps_partial_text_when_display_fails() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service = LoggingLayer::client()
        .layer(Script::new([Action::<ScriptedBody>::Fail(FailingDisplay.into())]));
    assert!(service.oneshot(get(URL)).await.unwrap_err().is::<FailingDisplay>());
    assert_eq!(recorder.line().get("error.message"), Some("half of"));
}
