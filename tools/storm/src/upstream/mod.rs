//! The upstream: a model, and the only thing here that is one. Its clients are real.

mod broken;
mod held;
mod pool;
mod queue;
mod seen;

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

pub(crate) use self::broken::Broken;
use self::{held::Held, pool::Pool, seen::Seen};
use crate::scenario::{Act, Scenario};

/// How many requests the upstream works on at once while it is well.
pub(crate) const WORKERS: usize = 64;
/// What waits beyond is answered 503 at once.
const ROOM: usize = 4_096;
/// Answers for which no work is done.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Which call a request belongs to, in its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(pub(crate) usize);

#[derive(Clone)]
pub(crate) struct Upstream(Arc<Inner>);

struct Inner {
    scenario: &'static Scenario,
    started: Instant,
    queue: queue::Shared,
    pool: Pool,
    under_way: Arc<AtomicUsize>,
    seen: Mutex<Seen>,
}

/// What the upstream saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    /// Requests that came, and that were worked on, by the second.
    pub(crate) requests: Vec<u32>,
    pub(crate) served: Vec<u32>,
    /// Worked on, with nobody left to tell.
    pub(crate) abandoned: u64,
    pub(crate) most_under_way: usize,
    /// Requests of callers that were told to come later.
    pub(crate) too_early: u64,
}

impl Upstream {
    pub(crate) fn new(scenario: &'static Scenario, seconds: usize, seed: u64) -> Self {
        Self(Arc::new(Inner {
            scenario,
            started: Instant::now(),
            queue: Arc::new(Mutex::new(queue::Queue::new(WORKERS, ROOM, seconds))),
            pool: Pool::default(),
            under_way: Arc::default(),
            seen: Mutex::new(Seen::new(seconds, seed)),
        }))
    }

    pub(crate) fn sight(&self) -> Sight {
        let (seen, queue) = (self.0.seen(), queue::lock(&self.0.queue));
        Sight {
            requests: seen.requests.clone(),
            served: queue.served.clone(),
            abandoned: queue.abandoned,
            most_under_way: seen.most_under_way,
            too_early: seen.too_early,
        }
    }
}

impl Inner {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a request, and how long working on it takes.
    fn meet(&self, caller: Option<Caller>) -> (Act, Duration) {
        let mut seen = self.seen();
        seen.request(caller, self.started.elapsed(), self.under_way.load(Ordering::Relaxed));
        let act = self.scenario.act(seen.moment, &mut seen.random);
        if let (Act::Answer { retry_after: Some(wait), .. }, Some(caller)) = (act, caller) {
            seen.told_to_wait(caller, Duration::from_secs(wait.into()));
        }
        (act, seen.takes())
    }

    async fn answer(&self, act: Act, takes: Duration) -> Result<Response<Full<Bytes>>, Broken> {
        let plain = |status: u16| {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            response
        };
        let workers = match act {
            Act::Serve { workers } => workers,
            Act::Answer { status, retry_after } => {
                tokio::time::sleep(AT_ONCE).await;
                let mut response = plain(status);
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, seconds.into());
                }
                return Ok(response);
            }
            Act::Refuse => {
                tokio::time::sleep(AT_ONCE).await;
                return Err(Broken::new(io::ErrorKind::ConnectionRefused));
            }
            Act::Silence => std::future::pending().await,
        };
        let mut connection = None;
        if self.scenario.keeps_connections() {
            connection = self.pool.take();
            if connection.is_none() {
                tokio::time::sleep(AT_ONCE).await;
                return Err(Broken::new(io::ErrorKind::ConnectionReset));
            }
        }
        let started = self.started;
        let second = move || started.elapsed().as_secs() as usize;
        let Some(answer) = queue::put(&self.queue, workers, takes, second) else {
            tokio::time::sleep(AT_ONCE).await;
            return Ok(plain(503));
        };
        // It is only dropped with the runtime, when nobody waits either.
        let _ = answer.await;
        if let Some(connection) = connection {
            connection.keep();
        }
        Ok(plain(200))
    }
}

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<Full<Bytes>>;
    type Error = Broken;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        let caller = request.extensions().get::<Caller>().copied();
        let held = Held::new(&inner.under_way);
        Box::pin(async move {
            let _held = held;
            let (act, takes) = inner.meet(caller);
            inner.answer(act, takes).await
        })
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Broken>> + Send>>;
