//! An interrupted call releases what it held, and its line is emitted once, unless it was dropped during unwinding.

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
    support::{Step, Steps},
};

const URL: &str = "http://billing/";

/// The behavior of the upstream and of the user code.
#[derive(Clone, Debug)]
enum Does {
    Answer(u16, Vec<Step>),
    Fail,
    Hang,
    PanicInCall,
    PanicInPoll,
    /// The classifier panics at so many looks from here on.
    PanicInClassifier(u8),
    PanicInHook,
}

fn does() -> impl Strategy<Value = Does> {
    let statuses = prop::sample::select(vec![200, 404, 502, 503]);
    let step = prop_oneof![
        Just(Step::Data("<html>".into())),
        Just(Step::Pause),
        Just(Step::Stall),
        Just(Step::Error),
    ];
    prop_oneof![
        6 => (statuses, prop::collection::vec(step, 0..3)).prop_map(|(s, b)| Does::Answer(s, b)),
        2 => Just(Does::Fail),
        1 => Just(Does::Hang),
        1 => Just(Does::PanicInCall),
        1 => Just(Does::PanicInPoll),
        1 => (0_u8..3).prop_map(Does::PanicInClassifier),
        1 => Just(Does::PanicInHook),
    ]
}

#[derive(Clone, Default)]
struct Upstream {
    script: Arc<Mutex<VecDeque<Does>>>,
    /// Looks until the classifier panics, and one more.
    fuse: Arc<Mutex<Option<u8>>>,
    hook: Arc<Mutex<bool>>,
}

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<Steps>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut next = self.script.lock().unwrap().pop_front();
        match next {
            Some(Does::PanicInCall) => panic!("in the call"),
            Some(Does::PanicInClassifier(after)) => {
                *self.fuse.lock().unwrap() = Some(after);
                next = Some(Does::Fail);
            }
            Some(Does::PanicInHook) => {
                *self.hook.lock().unwrap() = true;
                next = Some(Does::Fail);
            }
            _ => {}
        }
        Box::pin(async move {
            tokio::task::yield_now().await;
            match next.unwrap_or(Does::Answer(200, Vec::new())) {
                Does::Answer(status, steps) => {
                    let mut response = Response::new(Steps::new(steps));
                    *response.status_mut() = status.try_into().unwrap();
                    Ok(response)
                }
                Does::Hang => pending().await,
                Does::PanicInPoll => panic!("in the future"),
                _ => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            }
        })
    }
}

/// Burns down.
#[derive(Clone)]
struct Fused(Arc<Mutex<Option<u8>>>);

impl<B> Classify<Response<B>> for Fused {
    fn classify(
        &self,
        outcome: Result<&Response<B>, &(dyn std::error::Error + 'static)>,
    ) -> Option<Failure> {
        let left = {
            let mut fuse = self.0.lock().unwrap();
            let left = *fuse;
            *fuse = left.and_then(|left| left.checked_sub(1));
            left
        };
        assert!(left != Some(0), "the classifier");
        HttpClassifier::new().classify(outcome)
    }
}

const PLACES: u32 = 2;

fn layer(upstream: &Upstream) -> StandardLayer<Fused> {
    let some = NonZeroU32::new(PLACES).unwrap();
    let hook = Arc::clone(&upstream.hook);
    let retry = RetryLayer::new().backoff(Backoff::constant(Duration::from_millis(20)));
    let retry = retry.on_retry(move |_| {
        assert!(!std::mem::take(&mut *hook.lock().unwrap()), "the hook");
    });
    StandardLayer::new("billing")
        .timeouts(Timeouts::new(secs(1), secs(3)).unwrap())
        .circuit_breaker(
            CircuitBreakerLayer::new().consecutive_failures(some).half_open_probes(some),
        )
        .in_flight(InFlightLimitLayer::new(some))
        .retry(retry)
        .classifier(Fused(Arc::clone(&upstream.fuse)))
}

/// One call, polled so often, and its body too, with so much time in between. Returns whether there is a future of it: if not,
/// it panicked, and was dropped as the thread unwound.
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
            (prop::collection::vec(does(), 0..4), 0_u8..12, prop::sample::select(vec![0, 5, 30, 600])),
            1..6,
        ),
        together: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
            let upstream = Upstream::default();
            let layer = layer(&upstream);
            let mut service = layer.layer(upstream.clone());
            let mut lines = 0;
            for (script, polls, millis) in calls {
                upstream.script.lock().unwrap().clear();
                *upstream.fuse.lock().unwrap() = None;
                *upstream.hook.lock().unwrap() = false;
                upstream.script.lock().unwrap().extend(script);
                let has_line = if together {
                    call(&mut service, polls, millis).await
                } else {
                    call(&mut service.clone(), polls, millis).await
                };
                lines += usize::from(has_line);
            }
            assert_eq!(recorder.lines().len(), lines);
            // The circuit can close, and as many calls as there are places can be made, and no more.
            upstream.script.lock().unwrap().clear();
            *upstream.fuse.lock().unwrap() = None;
            *upstream.hook.lock().unwrap() = false;
            advance(secs(100)).await;
            for _ in 0..3 {
                let answered = task::spawn(service.call(get(URL))).await;
                assert_eq!(answered.unwrap().status(), 200);
            }
            if let Some(circuit) = layer.circuits().get("billing") {
                assert_eq!(circuit.state(), State::Closed);
            }
            upstream.script.lock().unwrap().extend(vec![Does::Hang; 3]);
            let mut all: Vec<_> = (0..=PLACES).map(|_| task::spawn(service.call(get(URL)))).collect();
            let ended = all.iter_mut().filter_map(|it| match it.poll() {
                Poll::Ready(outcome) => Some(cause(outcome)),
                Poll::Pending => None,
            });
            assert_eq!(ended.collect::<Vec<_>>(), [seawall::Cause::ConnectionLimitReached]);
        });
    }
}
