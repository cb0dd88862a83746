//! The model of the upstream. All other parts of a simulation are real.

mod in_flight_guard;
mod io_error;
mod pool;
mod queue;
mod stats;

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::RETRY_AFTER};
use http_body_util::Full;
use tokio::time::Instant;
use tower::Service;

pub(crate) use self::io_error::ConnectionError;
use self::{in_flight_guard::InFlightGuard, pool::Pool, stats::StatsRecorder};
use crate::scenario::{Action, Scenario};

/// The number of requests that a healthy upstream serves concurrently.
pub(crate) const WORKERS: usize = 64;
/// The capacity of the queue. Requests above it get 503.
const QUEUE_CAPACITY: usize = 4_096;
/// The latency of a response that needs no worker.
const IMMEDIATE_LATENCY: Duration = Duration::from_millis(1);

/// The call that a request belongs to. It is an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallId(pub(crate) usize);

#[derive(Clone)]
pub(crate) struct Upstream(Arc<Inner>);

struct Inner {
    scenario: &'static Scenario,
    started: Instant,
    queue: queue::SharedQueue,
    pool: Pool,
    in_flight: Arc<AtomicUsize>,
    recorder: Mutex<StatsRecorder>,
}

/// The requests that the upstream received.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpstreamStats {
    /// The requests received, per second.
    pub(crate) requests: Vec<u32>,
    /// The requests served, per second.
    pub(crate) served: Vec<u32>,
    /// The number of requests served after their caller had gone.
    pub(crate) abandoned: u64,
    pub(crate) max_in_flight: usize,
    /// The number of requests before the `Retry-After` of their call had passed.
    pub(crate) early_requests: u64,
}

impl Upstream {
    pub(crate) fn new(scenario: &'static Scenario, seconds: usize, seed: u64) -> Self {
        Self(Arc::new(Inner {
            scenario,
            started: Instant::now(),
            queue: Arc::new(Mutex::new(queue::Queue::new(WORKERS, QUEUE_CAPACITY, seconds))),
            pool: Pool::default(),
            in_flight: Arc::default(),
            recorder: Mutex::new(StatsRecorder::new(seconds, seed)),
        }))
    }

    pub(crate) fn stats(&self) -> UpstreamStats {
        let (recorder, queue) = (self.0.recorder(), queue::lock(&self.0.queue));
        UpstreamStats {
            requests: recorder.requests.clone(),
            served: queue.served.clone(),
            abandoned: queue.abandoned,
            max_in_flight: recorder.max_in_flight,
            early_requests: recorder.early_requests,
        }
    }
}

impl Inner {
    fn recorder(&self) -> std::sync::MutexGuard<'_, StatsRecorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request, and returns the reaction to it and a random service time.
    fn record(&self, call: Option<CallId>) -> (Action, Duration) {
        let mut recorder = self.recorder();
        recorder.record_request(
            call,
            self.started.elapsed(),
            self.in_flight.load(Ordering::Relaxed),
        );
        let StatsRecorder { arrival, rng, .. } = &mut *recorder;
        let action = self.scenario.action(*arrival, rng);
        if let (Action::Respond { retry_after: Some(wait), .. }, Some(call)) = (action, call) {
            recorder.record_retry_after(call, Duration::from_secs(wait.into()));
        }
        (action, recorder.random_service_time())
    }

    async fn respond(
        &self,
        action: Action,
        service_time: Duration,
    ) -> Result<Response<Full<Bytes>>, ConnectionError> {
        let with_status = |status: u16| {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            response
        };
        let workers = match action {
            Action::Serve { workers } => workers,
            Action::Respond { status, retry_after } => {
                tokio::time::sleep(IMMEDIATE_LATENCY).await;
                let mut response = with_status(status);
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, seconds.into());
                }
                return Ok(response);
            }
            Action::Refuse => {
                tokio::time::sleep(IMMEDIATE_LATENCY).await;
                return Err(ConnectionError::new(io::ErrorKind::ConnectionRefused));
            }
            Action::Hang => std::future::pending().await,
        };
        let mut connection = None;
        if self.scenario.pools_connections() {
            connection = self.pool.checkout();
            if connection.is_none() {
                tokio::time::sleep(IMMEDIATE_LATENCY).await;
                return Err(ConnectionError::new(io::ErrorKind::ConnectionReset));
            }
        }
        let started = self.started;
        let current_second = move || started.elapsed().as_secs() as usize;
        let Some(response) = queue::push(&self.queue, workers, service_time, current_second) else {
            tokio::time::sleep(IMMEDIATE_LATENCY).await;
            return Ok(with_status(503));
        };
        // The sender is dropped only with the runtime.
        let _ = response.await;
        if let Some(connection) = connection {
            connection.release();
        }
        Ok(with_status(200))
    }
}

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<Full<Bytes>>;
    type Error = ConnectionError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        let call = request.extensions().get::<CallId>().copied();
        let guard = InFlightGuard::new(&inner.in_flight);
        Box::pin(async move {
            let _guard = guard;
            let (action, service_time) = inner.record(call);
            inner.respond(action, service_time).await
        })
    }
}

type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, ConnectionError>> + Send>>;
