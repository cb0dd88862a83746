//! An interrupted call releases its resources and emits one log line.
//!
//! A call that is dropped during unwinding emits no line.

use std::{
    collections::VecDeque,
    io,
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use proptest::prelude::*;
use seawall::{
    Failure,
    circuit_breaker::{CircuitBreakerLayer, State},
    classify::{Classify, HttpClassifier},
    in_flight::InFlightLimitLayer,
    retry::{Backoff, RetryLayer},
    standard::{StandardLayer, Timeouts},
};
use tokio::time::advance;
use tokio_test::task;
use tower::Layer;
use tracing::level_filters::LevelFilter;

use super::*;
use crate::{
    log_capture::Recorder,
    support::{ScriptedBody, Step},
};

const URL: &str = "http://billing/";

/// The behavior of the upstream or of user code in one attempt.
#[derive(Clone, Debug)]
enum Behavior {
    Answer(u16, Vec<Step>),
    Fail,
    Hang,
    PanicInCall,
    PanicInPoll,
    /// The classifier panics after this number of further calls.
    PanicInClassifier(u8),
    PanicInHook,
}

fn behavior() -> impl Strategy<Value = Behavior> {
    let statuses = prop::sample::select(vec![200, 404, 502, 503]);
    let step = prop_oneof![
        Just(Step::Data("<html>".into())),
        Just(Step::Pause),
        Just(Step::Stall),
        Just(Step::Error),
    ];
    prop_oneof![
        6 => (statuses, prop::collection::vec(step, 0..3)).prop_map(|(s, b)| Behavior::Answer(s, b)),
        2 => Just(Behavior::Fail),
        1 => Just(Behavior::Hang),
        1 => Just(Behavior::PanicInCall),
        1 => Just(Behavior::PanicInPoll),
        1 => (0_u8..3).prop_map(Behavior::PanicInClassifier),
        1 => Just(Behavior::PanicInHook),
    ]
}

#[derive(Clone, Default)]
struct Upstream {
    script: Arc<Mutex<VecDeque<Behavior>>>,
    /// The number of calls of the classifier before it panics. `None` if it does not panic.
    calls_before_panic: Arc<Mutex<Option<u8>>>,
    /// `true` if the next call of the retry hook panics.
    hook_panics: Arc<Mutex<bool>>,
}

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<ScriptedBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut next = self.script.lock().unwrap().pop_front();
        match next {
            Some(Behavior::PanicInCall) => panic!("the call panics"),
            Some(Behavior::PanicInClassifier(after)) => {
                *self.calls_before_panic.lock().unwrap() = Some(after);
                next = Some(Behavior::Fail);
            }
            Some(Behavior::PanicInHook) => {
                *self.hook_panics.lock().unwrap() = true;
                next = Some(Behavior::Fail);
            }
            _ => {}
        }
        Box::pin(async move {
            tokio::task::yield_now().await;
            match next.unwrap_or(Behavior::Answer(200, Vec::new())) {
                Behavior::Answer(status, steps) => {
                    let mut response = Response::new(ScriptedBody::new(steps));
                    *response.status_mut() = status.try_into().unwrap();
                    Ok(response)
                }
                Behavior::Hang => pending().await,
                Behavior::PanicInPoll => panic!("the future panics"),
                _ => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            }
        })
    }
}

/// A classifier that panics after a number of calls.
#[derive(Clone)]
struct PanickingClassifier(Arc<Mutex<Option<u8>>>);

impl<B> Classify<Response<B>> for PanickingClassifier {
    fn classify(
        &self,
        outcome: Result<&Response<B>, &(dyn std::error::Error + 'static)>,
    ) -> Option<Failure> {
        let left = {
            let mut calls = self.0.lock().unwrap();
            let left = *calls;
            *calls = left.and_then(|left| left.checked_sub(1));
            left
        };
        assert!(left != Some(0), "the classifier panics");
        HttpClassifier::new().classify(outcome)
    }
}

const MAX_IN_FLIGHT: u32 = 2;

fn layer(upstream: &Upstream) -> StandardLayer<PanickingClassifier> {
    let limit = NonZeroU32::new(MAX_IN_FLIGHT).unwrap();
    let hook = Arc::clone(&upstream.hook_panics);
    let retry = RetryLayer::new().backoff(Backoff::constant(Duration::from_millis(20)));
    let retry = retry.on_retry(move |_| {
        assert!(!std::mem::take(&mut *hook.lock().unwrap()), "the hook panics");
    });
    StandardLayer::new("billing")
        .timeouts(Timeouts::new(secs(1), secs(3)).unwrap())
        .circuit_breaker(
            CircuitBreakerLayer::new().consecutive_failures(limit).half_open_probes(limit),
        )
        .in_flight(InFlightLimitLayer::new(limit))
        .retry(retry)
        .classifier(PanickingClassifier(Arc::clone(&upstream.calls_before_panic)))
}

/// Makes a call, polls it and its body at most `polls` times each, and drops it. The call is polled
/// every `millis`.
///
/// Returns `false` if the call panics before it returns a future, because such a call is dropped
/// during unwinding and emits no line.
async fn call(
    service: &mut impl Service<Request<Body>, Response = Response<impl http_body::Body>, Error: Debug>,
    polls: u8,
    millis: u64,
) -> bool {
    let called = catch_unwind(AssertUnwindSafe(|| service.call(get(URL))));
    let Ok(call) = called else { return false };
    let mut call = Box::pin(call);
    for _ in 0..polls {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            call.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()))
        }));
        match polled {
            Err(_) | Ok(Poll::Ready(Err(_))) => return true,
            Ok(Poll::Pending) => advance(Duration::from_millis(millis)).await,
            Ok(Poll::Ready(Ok(response))) => {
                let mut body = Box::pin(response.into_body());
                for _ in 0..polls {
                    let mut cx = Context::from_waker(std::task::Waker::noop());
                    let Poll::Ready(Some(Ok(_))) = body.as_mut().poll_frame(&mut cx) else {
                        return true;
                    };
                }
                return true;
            }
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn interrupted_call_releases_all_and_emits_one_line(
        calls in prop::collection::vec(
            (prop::collection::vec(behavior(), 0..4), 0_u8..12, prop::sample::select(vec![0, 5, 30, 600])),
            1..6,
        ),
        share_instance: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
            let upstream = Upstream::default();
            let layer = layer(&upstream);
            let mut service = layer.layer(upstream.clone());
            let mut expected_lines = 0;
            for (script, polls, millis) in calls {
                upstream.script.lock().unwrap().clear();
                *upstream.calls_before_panic.lock().unwrap() = None;
                *upstream.hook_panics.lock().unwrap() = false;
                upstream.script.lock().unwrap().extend(script);
                let has_line = if share_instance {
                    call(&mut service, polls, millis).await
                } else {
                    call(&mut service.clone(), polls, millis).await
                };
                expected_lines += usize::from(has_line);
            }
            assert_eq!(recorder.lines().len(), expected_lines);
            // The circuit can close, and the in-flight limit admits exactly its maximum.
            upstream.script.lock().unwrap().clear();
            *upstream.calls_before_panic.lock().unwrap() = None;
            *upstream.hook_panics.lock().unwrap() = false;
            advance(secs(100)).await;
            for _ in 0..3 {
                let response = task::spawn(service.call(get(URL))).await;
                assert_eq!(response.unwrap().status(), 200);
            }
            if let Some(circuit) = layer.circuits().get("billing") {
                assert_eq!(circuit.state(), State::Closed);
            }
            upstream.script.lock().unwrap().extend(vec![Behavior::Hang; 3]);
            let mut calls: Vec<_> = (0..=MAX_IN_FLIGHT).map(|_| task::spawn(service.call(get(URL)))).collect();
            let ended = calls.iter_mut().filter_map(|it| match it.poll() {
                Poll::Ready(outcome) => Some(cause(outcome)),
                Poll::Pending => None,
            });
            assert_eq!(ended.collect::<Vec<_>>(), [seawall::Cause::ConnectionLimitReached]);
        });
    }
}
