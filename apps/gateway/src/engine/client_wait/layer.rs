//! The layer that rejects requests of clients that must wait.

use std::{
    error::Error,
    hash::RandomState,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use futures_util::future::{self, Either, Ready};
use http::{Method, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use seawall::{
    Blame, BoxError, Cause, Failure, Reporter,
    circuit_breaker::CircuitOpen,
    classify::{Classify, HttpClassifier},
    find_source,
    retry::{RetriesExhausted, RetryLayer, RetryOverride, RetryReport},
};
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{
    identity::Identity,
    wait_map::{Admission, WaitMap, WaitReason},
};
use crate::engine::rejection::Rejection;

/// Rejects requests of clients that must wait, and limits repetitions to a single attempt.
///
/// # Clone
///
/// Clones share the waits.
#[derive(Clone, Debug)]
pub(in crate::engine) struct ClientWaitLayer(Arc<Waits>);

#[derive(Debug)]
struct Waits {
    random: RandomState,
    map: Mutex<WaitMap>,
    single_attempt: RetryOverride,
}

impl ClientWaitLayer {
    pub(in crate::engine) fn new() -> Self {
        let single_attempt =
            RetryOverride::new(RetryLayer::new().max_retries(0).max_replay_bytes(0));
        let map = Mutex::new(WaitMap::new());
        Self(Arc::new(Waits { random: RandomState::new(), map, single_attempt }))
    }
}

impl Waits {
    fn lock(&self) -> MutexGuard<'_, WaitMap> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the outcome of a request.
    fn record<B>(&self, call: Call, outcome: Result<&Response<B>, &BoxError>) {
        let attempts = match outcome {
            Ok(response) => {
                response.extensions().get().map(|report: &RetryReport| report.attempts().get())
            }
            Err(error) => find_source::<RetriesExhausted>(&**error).map(|it| it.attempts().get()),
        };
        let is_circuit_open =
            outcome.is_err_and(|error| find_source::<CircuitOpen>(&**error).is_some());
        let outcome = outcome.map_err(|error| &**error as &(dyn Error + 'static));
        let Some(failure) = HttpClassifier::new().classify(outcome) else {
            return self.lock().on_success(call.identity);
        };
        let now = Instant::now();
        if let Some(wait) = failure.retry_after()
            && failure.reporter() != Reporter::Local
        {
            let is_rate_limit = failure.status() == Some(StatusCode::TOO_MANY_REQUESTS);
            let reason =
                if is_rate_limit { WaitReason::RateLimited } else { WaitReason::Unavailable };
            return self.lock().on_retry_after(call.identity, wait, reason, now);
        }
        let was_retried = call.is_single_attempt || attempts.is_some_and(|attempts| attempts > 1);
        if !is_circuit_open && is_worth_repeating(&failure) && was_retried && call.is_costly {
            self.lock().on_failure(call.identity, now);
        }
    }
}

/// Returns whether SDKs repeat a request after this failure.
fn is_worth_repeating(failure: &Failure) -> bool {
    match failure.cause() {
        Cause::ClientError => false,
        // The caller is to blame, but SDKs repeat the request after such a response.
        Cause::RateLimited | Cause::Conflict | Cause::RequestTimeout => {
            failure.reporter() != Reporter::Local
        }
        _ => !matches!(failure.blame(), Blame::Caller | Blame::Process),
    }
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct Call {
    identity: Identity,
    /// Whether a repetition of the request may cost the upstream as much as a new request.
    is_costly: bool,
    is_single_attempt: bool,
}

impl<S> Layer<S> for ClientWaitLayer {
    type Service = ClientWait<S>;

    fn layer(&self, inner: S) -> ClientWait<S> {
        ClientWait { inner, waits: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(in crate::engine) struct ClientWait<S> {
    inner: S,
    waits: Arc<Waits>,
}

impl<S, R, B> Service<Request<R>> for ClientWait<S>
where
    S: Service<Request<R>, Response = Response<B>, Error = BoxError>,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Either<ResponseFuture<S::Future>, Ready<Result<Response<B>, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    // A cancelled call is not recorded.
    fn call(&mut self, mut request: Request<R>) -> Self::Future {
        let waits = Arc::clone(&self.waits);
        let identity = Identity::new(&request, &waits.random);
        let admission = waits.lock().admit(identity, Instant::now());
        if let Admission::Rejected { reason, remaining } = admission {
            let rejection = match reason {
                WaitReason::RateLimited => Rejection::upstream_rate_limit(remaining),
                WaitReason::Unavailable => Rejection::upstream_unavailable(remaining),
                WaitReason::Repeated => Rejection::repeated_request(remaining),
            };
            return Either::Right(future::ready(Err(rejection.into())));
        }
        let is_single_attempt = admission == Admission::SingleAttempt;
        if is_single_attempt {
            request.extensions_mut().insert(waits.single_attempt.clone());
        }
        let is_costly = !request.method().is_idempotent() && *request.method() != Method::OPTIONS;
        let call = Call { identity, is_costly, is_single_attempt };
        Either::Left(ResponseFuture { inner: self.inner.call(request), waits, call })
    }
}

pin_project! {
    /// A call whose outcome is recorded.
    pub(in crate::engine) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        waits: Arc<Waits>,
        call: Call,
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, BoxError>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        this.waits.record(*this.call, outcome.as_ref());
        Poll::Ready(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use axum::body::Body;
    use seawall::retry::ReplayBody;
    use tokio::time::advance;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    /// Sends a POST at once, after 1.5 s and after 4 s, as SDKs do. Returns the number of attempts
    /// at an upstream that always responds with this status.
    async fn attempts_of_three_calls(status: u16) -> u32 {
        let attempts = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&attempts);
        let upstream = service_fn(move |_: Request<ReplayBody<Body>>| {
            count.fetch_add(1, Ordering::Relaxed);
            let response = Response::builder().status(status).body(Body::empty()).unwrap();
            async { Ok::<_, BoxError>(response) }
        });
        let retry = RetryLayer::new().max_retries(2).retry_all_methods();
        let retry = retry.retry_statuses([408, 409, 429].into_iter().chain(500..600));
        let stack =
            ServiceBuilder::new().layer(ClientWaitLayer::new()).layer(retry).service(upstream);
        for wait in [0, 1_500, 4_000] {
            advance(Duration::from_millis(wait)).await;
            let _ = stack.clone().oneshot(Request::post("/a").body(Body::empty()).unwrap()).await;
        }
        attempts.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn repetitions_cost_one_attempt_when_upstream_keeps_failing() {
        for status in [408, 409, 429, 500, 502, 503, 529] {
            assert_eq!(attempts_of_three_calls(status).await, 3 + 1, "{status}");
        }
        assert_eq!(attempts_of_three_calls(400).await, 3);
    }
}
