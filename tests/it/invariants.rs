//! Invariants of each layer and of the complete stack.
//!
//! The other invariants of `ARCHITECTURE.md` are tested elsewhere: `each_attempt_sends_same_bytes`
//! in `replay`, and `layers_do_not_import_layers` in `architecture`.

use std::{
    fs, io,
    num::NonZeroU32,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use seawall::{
    bad_gateway::BadGatewayClassifierLayer,
    body_timeout::BodyTimeoutLayer,
    circuit_breaker::CircuitBreakerLayer,
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    error_response::ErrorResponseLayer,
    in_flight::InFlightLimitLayer,
    logging::LoggingLayer,
    retry::RetryLayer,
    timeout::TimeoutLayer,
};
use tokio_test::task;
use tower::{Service, ServiceBuilder, ServiceExt};
use tracing::level_filters::LevelFilter;

use crate::{
    log_capture::Recorder,
    support::{Action, Script, ScriptedBody, Step, response},
};

const TIMEOUT: Duration = Duration::from_secs(1);

fn stack<B>(
    script: Script<B>,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<impl Body<Data = Bytes, Error = seawall::BoxError>>,
    Error = std::convert::Infallible,
> + Clone
where
    B: Body<Data = Bytes, Error: Into<seawall::BoxError>> + Send + 'static,
{
    ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .layer(ErrorResponseLayer::new("edge"))
        .layer(BodyTimeoutLayer::for_requests().total(TIMEOUT))
        .layer(LoggingLayer::client())
        .layer(deadline_layer())
        .layer(RetryLayer::new())
        .layer(CircuitBreakerLayer::new().until_body_end())
        .layer(InFlightLimitLayer::new(NonZeroU32::MAX))
        .layer(TimeoutLayer::new(TIMEOUT))
        .layer(BodyTimeoutLayer::new().idle(TIMEOUT).total(TIMEOUT))
        .layer(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
        .layer(BadGatewayClassifierLayer::new())
        .service(script)
}

fn deadline_layer() -> DeadlineLayer {
    DeadlineLayer::new(TIMEOUT * 100).include_body(true).trust_header(TimeoutHeader::Grpc)
}

fn get() -> Request<Full<Bytes>> {
    Request::get("http://upstream/").body(Full::default()).unwrap()
}

/// A body that counts its polls.
#[derive(Default)]
struct PollCountingBody {
    inner: ScriptedBody,
    polls: Arc<std::sync::atomic::AtomicUsize>,
}

impl Body for PollCountingBody {
    type Data = Bytes;
    type Error = seawall::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, seawall::BoxError>>> {
        self.polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // `ScriptedBody` is not `Unpin`, but a boxed copy is.
        let mut inner = Box::pin(self.inner.clone());
        let frame = inner.as_mut().poll_frame(cx);
        let polls = Arc::clone(&self.polls);
        let mut this = self;
        this.set(Self { inner: (*inner).clone(), polls });
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[tokio::test(start_paused = true)]
async fn stack_passes_success_unchanged() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let steps = [
        Step::Data("one".into()),
        Step::Pause,
        Step::Data("two".into()),
        Step::Trailers(trailers.clone()),
    ];
    let polls = Arc::default();
    let body = PollCountingBody { inner: ScriptedBody::sized(steps), polls: Arc::clone(&polls) };
    let success = Response::builder().status(206).header("x-a", "b").body(body).unwrap();
    let response = stack(Script::new([Action::Respond(success)])).oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 206);
    assert_eq!(response.headers().len(), 1);
    assert!(response.extensions().is_empty());
    assert_eq!(response.body().size_hint().exact(), Some(6));
    let collected =
        response.into_body().collect().await.unwrap_or_else(|_| panic!("expected a complete body"));
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), "onetwo");
    // Counts three frames, one pause and the end.
    assert_eq!(polls.load(std::sync::atomic::Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn stack_sends_non_idempotent_request_once() {
    for status in [429, 500, 502, 503, 504] {
        let script = Script::new([Action::Respond(response::<Full<Bytes>>(status))]);
        let post = Request::post("http://upstream/").body(Full::default()).unwrap();
        let response = stack(script.clone()).oneshot(post).await.unwrap();
        assert_eq!((response.status().as_u16(), script.count()), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_future_releases_everything_at_any_await() {
    // Drops the call after each number of polls.
    for polls in 0..40 {
        let held = Arc::new(());
        let limit = InFlightLimitLayer::new(NonZeroU32::MAX);
        let script = Script::new((0..4).map(|_| Action::Respond(response::<Full<Bytes>>(502))));
        let service = {
            let held = Arc::clone(&held);
            let script = script.clone();
            ServiceBuilder::new()
                .layer(LoggingLayer::client())
                .layer(deadline_layer())
                .layer(RetryLayer::new())
                .layer(CircuitBreakerLayer::new())
                .layer(limit.clone())
                .layer(TimeoutLayer::new(TIMEOUT))
                .layer(BodyTimeoutLayer::new())
                .layer(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
                .service_fn(move |request: Request<_>| {
                    let (held, script) = (Arc::clone(&held), script.clone());
                    async move {
                        tokio::task::yield_now().await;
                        let result = script.oneshot(request).await;
                        drop(held);
                        result
                    }
                })
        };
        let mut call = task::spawn(service.oneshot(get()));
        for _ in 0..polls {
            if call.poll().is_ready() {
                break;
            }
            tokio::time::advance(Duration::from_millis(40)).await;
        }
        let requests = script.count();
        drop(call);
        assert_eq!(Arc::strong_count(&held), 1, "after {polls} polls");
        assert_eq!(limit.in_flight(), 0, "after {polls} polls");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(script.count(), requests, "after {polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_future_is_neither_success_nor_failure() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let script = Script::new([Action::<Full<Bytes>>::Stall]);
    let mut call = task::spawn(stack(script).oneshot(get()));
    assert!(call.poll().is_pending());
    drop(call);
    for line in recorder.lines() {
        assert_eq!(
            (line.get("seawall.outcome"), line.get("error.type")),
            (Some("cancelled"), None)
        );
    }
    assert_eq!(recorder.lines().len(), 2);
}

/// A service that panics when it is called before `poll_ready`. A clone starts unready.
struct ReadinessChecker {
    ready: bool,
    script: Script<Full<Bytes>>,
}

impl Clone for ReadinessChecker {
    fn clone(&self) -> Self {
        Self { ready: false, script: self.script.clone() }
    }
}

impl<B> Service<Request<B>> for ReadinessChecker
where
    Script<Full<Bytes>>: Service<Request<B>>,
{
    type Response = <Script<Full<Bytes>> as Service<Request<B>>>::Response;
    type Error = <Script<Full<Bytes>> as Service<Request<B>>>::Error;
    type Future = <Script<Full<Bytes>> as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.ready = true;
        self.script.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before `poll_ready` returned ready");
        self.script.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn stack_honors_readiness() {
    let acts = [502, 502, 200, 502, 200].map(|status| Action::Respond(response(status)));
    let script = Script::new(acts);
    let service = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(LoggingLayer::client())
        .layer(deadline_layer())
        .layer(RetryLayer::new())
        .layer(CircuitBreakerLayer::new().until_body_end())
        .layer(InFlightLimitLayer::new(NonZeroU32::MAX))
        .layer(TimeoutLayer::new(TIMEOUT))
        .layer(BodyTimeoutLayer::new())
        .layer(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
        .service(ReadinessChecker { ready: false, script: script.clone() });
    for _ in 0..2 {
        let response = service.clone().oneshot(get()).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(script.count(), 5);
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let names = prop::sample::select(vec![
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "proxy-status",
        "content-type",
        "server",
    ]);
    (names.prop_map(String::from), prop::collection::vec(any::<u8>(), 0..50))
}

proptest! {
    #[test]
    fn stack_does_not_panic_on_any_peer_data(
        status in 100_u16..1_000,
        headers in prop::collection::vec(header(), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..100),
        error in prop::option::of(any::<i32>()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let (_recorder, _guard) = Recorder::start(LevelFilter::TRACE);
        let act = || {
            if let Some(code) = error {
                return Action::Fail(io::Error::from_raw_os_error(code).into());
            }
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                if let Ok(value) = http::HeaderValue::from_bytes(value) {
                    response = response.header(name, value);
                }
            }
            Action::Respond(response.body(Full::from(body.clone())).unwrap())
        };
        let script = Script::new((0..4).map(|_| act()));
        let response = runtime.block_on(stack(script).oneshot(get())).unwrap();
        prop_assert!(error.is_none() || response.status().as_u16() >= 400);
        let collected = runtime.block_on(response.into_body().collect());
        prop_assert!(collected.is_ok(), "expected a complete body");
    }
}

#[test]
fn crates_read_time_only_from_tokio() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = fs::read_to_string(root.join("clippy.toml")).unwrap();
    assert!(rules.contains("std::time::Instant") && rules.contains("SystemTime::now"));
    let mut allowed = Vec::new();
    for file in crate::architecture::sources() {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("clippy::disallowed") {
            allowed.push(file.file_name().unwrap().to_owned());
        }
    }
    assert_eq!(allowed, ["headers.rs"], "expected one file that reads wall time");
}

#[test]
fn layers_hold_no_lock_across_user_code() {
    // These files hold a lock only for a few statements and document each use.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files_with_locks: Vec<_> = crate::architecture::sources()
        .into_iter()
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.contains("Mutex") || text.contains("RwLock")
        })
        .map(|file| file.strip_prefix(root).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        files_with_locks,
        [
            "src/budget/counts.rs",
            "src/circuit_breaker/circuit.rs",
            "src/circuit_breaker/selector.rs",
            "src/circuit_breaker/stripe.rs",
            "src/circuit_breaker/wakers.rs",
            "src/in_flight/limit.rs",
            "src/in_flight/unread.rs",
            "src/keys/bounded_map.rs",
            "src/logging/nesting.rs",
            "src/metrics/label.rs",
            "src/rejections.rs",
            "src/request_attributes.rs",
            "src/retry/replay.rs",
            "src/sync.rs",
            "src/time_limit/body_wait.rs",
            "crates/seawall-test/src/state.rs",
        ]
    );
}
