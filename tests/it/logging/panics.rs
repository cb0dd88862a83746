//! A subscriber that panics.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::FutureExt;
use tracing::{Event, Subscriber, span::Id};
use tracing_subscriber::{layer::Context, layer::SubscriberExt};

use super::*;
use crate::recorder::listen;

#[derive(Clone, Default)]
struct Panics(Arc<AtomicBool>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Panics {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        assert!(!self.0.load(Ordering::Relaxed), "the subscriber panics");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_harms_its_own_request_and_no_other() {
    let (panics, recorder) = (Panics::default(), Recorder::default());
    let _guard = listen(tracing_subscriber::registry().with(recorder.clone()).with(panics.clone()));
    let service = LoggingLayer::server().layer(Script::new([answer(200), answer(200)]));
    panics.0.store(true, Ordering::Relaxed);
    // In poll, and in drop.
    let call = AssertUnwindSafe(service.clone().oneshot(get(URL))).catch_unwind().await;
    assert!(call.is_err());
    let mut hangs = LoggingLayer::server().layer(Script::new([Act::<Body>::Hang]));
    let call = hangs.call(get(URL));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_err());
    panics.0.store(false, Ordering::Relaxed);
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
    assert_eq!(recorder.lines().last().unwrap().message(), "GET /a/b -> 200 in 0.0ns");
    // It was told of each once: none is written again.
    assert_eq!(recorder.lines().iter().filter(|it| it.get("seawall.end").is_some()).count(), 3);
}

/// At spans.
struct PanicsAtSpans;

impl<S: Subscriber> tracing_subscriber::Layer<S> for PanicsAtSpans {
    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        panic!("the subscriber panics as a span is entered");
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        panic!("the subscriber panics as a span is left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_as_a_span_is_entered_or_left_harms_nobody() {
    let recorder = Recorder::default();
    let _guard = listen(tracing_subscriber::registry().with(recorder.clone()).with(PanicsAtSpans));
    let service = LoggingLayer::server().layer(Script::new([answer(200)]));
    let response = service.oneshot(get(URL)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_ok());
    assert_eq!(recorder.line().message(), "GET /a/b -> 200 in 0.0ns");
    // Left as the thread unwinds, too.
    let service = LoggingLayer::server().layer(service_fn(async |_: Request<Body>| {
        panic!("the handler panics") as Result<Response<Body>, Infallible>
    }));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _ = task::spawn(service.oneshot(get(URL))).poll();
    }));
    assert!(unwound.is_err());
    assert_eq!(recorder.lines().last().unwrap().message(), "GET /a/b -> panicked in 0.0ns");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_gets_a_line_and_even_with_such_a_subscriber_the_process_lives() {
    for subscriber_panics in [false, true] {
        let (panics, recorder) = (Panics::default(), Recorder::default());
        let _guard =
            listen(tracing_subscriber::registry().with(recorder.clone()).with(panics.clone()));
        panics.0.store(subscriber_panics, Ordering::Relaxed);
        let service = LoggingLayer::server().layer(service_fn(async |request: Request<Body>| {
            assert_eq!(request.method(), "PUT", "the handler panics");
            Ok::<_, Infallible>(Response::new(Body::default()))
        }));
        // Dropped while the thread unwinds, as by a runtime: one more panic then would end the process.
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _ = task::spawn(service.oneshot(get(URL))).poll();
        }));
        assert!(unwound.is_err());
        let line = recorder.line();
        assert_eq!(line.level, tracing::Level::WARN);
        assert_eq!(line.get("error.type"), Some("panic"));
        assert_eq!(line.message(), "GET /a/b -> panicked in 0.0ns");
    }
}

#[tokio::test(start_paused = true)]
async fn a_closure_for_the_route_that_panics_gets_a_line() {
    let recorder = Recorder::default();
    let _guard = listen(tracing_subscriber::registry().with(recorder.clone()));
    let layer = LoggingLayer::server().route_by(|_| panic!("the closure panics"));
    let mut service = layer.layer(Script::new([answer(200)]));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(get(URL))))).is_err());
    assert_eq!(recorder.line().message(), "GET /a/b -> panicked in 0.0ns");
}
