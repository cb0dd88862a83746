//! Adaptive throttling (chapter 21 of Google's SRE book), as an alternative to the circuit breaker.
//!
//! It rejects a call with the probability (requests − K · accepts) / (requests + 1), with K = 2.
//! Both counts cover the last ten seconds.

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
const WINDOW_SECS: usize = 10;

#[derive(Clone)]
pub(super) struct Throttle<S> {
    inner: S,
    window: Arc<Mutex<Window>>,
}

struct Window {
    started: Instant,
    second: u64,
    requests: [u32; WINDOW_SECS],
    accepts: [u32; WINDOW_SECS],
}

impl<S> Throttle<S> {
    pub(super) fn new(inner: S) -> Self {
        let counts = [0; WINDOW_SECS];
        let window =
            Window { started: Instant::now(), second: 0, requests: counts, accepts: counts };
        Self { inner, window: Arc::new(Mutex::new(window)) }
    }
}

impl Window {
    /// Clears the expired slots, and returns the slot of the current second.
    fn current_slot(&mut self) -> usize {
        let second = self.started.elapsed().as_secs();
        while self.second < second {
            self.second += 1;
            let slot = self.second as usize % WINDOW_SECS;
            (self.requests[slot], self.accepts[slot]) = (0, 0);
        }
        second as usize % WINDOW_SECS
    }

    /// Counts a request and returns whether to admit it.
    fn try_admit(&mut self) -> bool {
        let slot = self.current_slot();
        let sum = |counts: &[u32]| counts.iter().map(|&count| f64::from(count)).sum::<f64>();
        let (requests, accepts) = (sum(&self.requests), sum(&self.accepts));
        self.requests[slot] += 1;
        fastrand::f64() >= (requests - K * accepts) / (requests + 1.0)
    }

    fn record_accept(&mut self) {
        let slot = self.current_slot();
        self.accepts[slot] += 1;
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
        let window = Arc::clone(&self.window);
        if !window.lock().unwrap_or_else(PoisonError::into_inner).try_admit() {
            return Box::pin(std::future::ready(Err(Throttled.into())));
        }
        let inner = self.inner.clone();
        // A call that times out is dropped, so it does not count as accepted.
        Box::pin(async move {
            let response = inner.oneshot(request).await.map_err(Into::into)?;
            if !response.status().is_server_error() {
                window.lock().unwrap_or_else(PoisonError::into_inner).record_accept();
            }
            Ok(response)
        })
    }
}

/// The error of a rejected call, which must not be retried.
#[derive(Debug)]
struct Throttled;

static REJECTED: Failure = Failure::new(Cause::CircuitOpen)
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
        Some(&REJECTED)
    }
}
