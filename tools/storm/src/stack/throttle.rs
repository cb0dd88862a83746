//! Adaptive throttling, as chapter 21 of Google's SRE book has it, to be judged beside the breaker: a call is refused here by the
//! chance of (requests − K · accepts) / (requests + 1), both counted over the last ten seconds, with K of 2.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http::{Request, Response};
use seawall::{BoxError, Cause, Failure, Processed, Reporter};
use tokio::time::Instant;
use tower::{Service, ServiceExt};

const K: f64 = 2.0;
const SECONDS: usize = 10;

#[derive(Clone)]
pub(super) struct Throttle<S> {
    inner: S,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    started: Instant,
    second: u64,
    requests: [u32; SECONDS],
    accepts: [u32; SECONDS],
}

impl<S> Throttle<S> {
    pub(super) fn new(inner: S) -> Self {
        let counts = [0; SECONDS];
        let seen = Seen { started: Instant::now(), second: 0, requests: counts, accepts: counts };
        Self { inner, seen: Arc::new(Mutex::new(seen)) }
    }
}

impl Seen {
    fn now(&mut self) -> usize {
        let second = self.started.elapsed().as_secs();
        while self.second < second {
            self.second += 1;
            let at = self.second as usize % SECONDS;
            (self.requests[at], self.accepts[at]) = (0, 0);
        }
        second as usize % SECONDS
    }

    /// Counts a request; whether it passes.
    fn admit(&mut self) -> bool {
        let at = self.now();
        let sum = |counts: &[u32]| counts.iter().map(|&count| f64::from(count)).sum::<f64>();
        let (requests, accepts) = (sum(&self.requests), sum(&self.accepts));
        self.requests[at] += 1;
        fastrand::f64() >= (requests - K * accepts) / (requests + 1.0)
    }

    fn accepted(&mut self) {
        let at = self.now();
        self.accepts[at] += 1;
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Throttle<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    ReqBody: Send + 'static,
    ResBody: Send + 'static,
{
    type Response = Response<ResBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResBody>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let seen = Arc::clone(&self.seen);
        if !seen.lock().unwrap_or_else(PoisonError::into_inner).admit() {
            return Box::pin(std::future::ready(Err(Throttled.into())));
        }
        let inner = self.inner.clone();
        // What times out is dropped from outside, and so is never accepted.
        Box::pin(async move {
            let response = inner.oneshot(request).await.map_err(Into::into)?;
            if !response.status().is_server_error() {
                seen.lock().unwrap_or_else(PoisonError::into_inner).accepted();
            }
            Ok(response)
        })
    }
}

/// Refused here; to retry it is what its sender must not.
#[derive(Debug)]
struct Throttled;

static REFUSED: Failure = Failure::new(Cause::CircuitOpen)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::No)
    .with_retry_hint(Some(false));

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("throttled")
    }
}

impl Error for Throttled {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&REFUSED)
    }
}
