//! The upstream: a model, and the only thing here that is one. Its clients are real.

mod pool;
mod queue;

use std::{
    collections::HashMap,
    error::Error,
    fmt, io,
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
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Gamma};
use tokio::time::Instant;
use tower::Service;

use self::pool::Pool;
use crate::scenario::{Act, Moment, Scenario};

/// How many requests the upstream works on at once while it is well, and how long each takes on average. Both together are
/// its capacity: 1,600 requests a second.
pub(crate) const WORKERS: usize = 64;
const TAKES: Duration = Duration::from_millis(40);
/// The shape of a Gamma distribution: the slowest of a hundred takes two and a half times the average.
const SHAPE: f64 = 4.0;
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

struct Seen {
    random: StdRng,
    takes: Gamma<f64>,
    /// By the second.
    requests: Vec<u32>,
    most_under_way: usize,
    /// When callers that were told to wait may come again.
    not_before: HashMap<usize, Instant>,
    too_early: u64,
    second: usize,
    in_second: u32,
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
        let takes = Gamma::new(SHAPE, TAKES.as_secs_f64() / SHAPE).expect("both above zero");
        let seen = Seen {
            random: StdRng::seed_from_u64(seed),
            takes,
            requests: vec![0; seconds],
            most_under_way: 0,
            not_before: HashMap::new(),
            too_early: 0,
            second: 0,
            in_second: 0,
        };
        Self(Arc::new(Inner {
            scenario,
            started: Instant::now(),
            queue: Arc::new(Mutex::new(queue::Queue::new(WORKERS, ROOM, seconds))),
            pool: Pool::default(),
            under_way: Arc::default(),
            seen: Mutex::new(seen),
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
        let now = self.started.elapsed();
        let second = now.as_secs() as usize;
        if let Some(requests) = seen.requests.get_mut(second) {
            *requests += 1;
        }
        if second != seen.second {
            (seen.second, seen.in_second) = (second, 0);
        }
        seen.in_second += 1;
        let before = caller.and_then(|caller| seen.not_before.remove(&caller.0));
        seen.too_early += u64::from(before.is_some_and(|before| Instant::now() < before));
        let moment = Moment { now, in_second: seen.in_second };
        let act = self.scenario.act(moment, &mut seen.random);
        if let (Act::Answer { retry_after: Some(wait), .. }, Some(Caller(caller))) = (act, caller) {
            let until = Instant::now() + Duration::from_secs(wait.into());
            seen.not_before.insert(caller, until);
        }
        let under_way = self.under_way.load(Ordering::Relaxed);
        seen.most_under_way = seen.most_under_way.max(under_way);
        // In whole milliseconds, which is what the clock of tokio tells apart.
        let Seen { takes, random, .. } = &mut *seen;
        let takes = (takes.sample(random) * 1e3).round().max(1.0);
        (act, Duration::from_millis(takes as u64))
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
        let connection = match self.scenario.keeps_connections() {
            true => match self.pool.take() {
                Some(connection) => Some(connection),
                None => {
                    tokio::time::sleep(AT_ONCE).await;
                    return Err(Broken::new(io::ErrorKind::ConnectionReset));
                }
            },
            false => None,
        };
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
    type Future = futures::Answering;

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

mod futures {
    use super::{Broken, Bytes, Full, Response};

    pub(crate) type Answering =
        std::pin::Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Broken>> + Send>>;
}

/// A request that somebody waits for.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(under_way: &Arc<AtomicUsize>) -> Self {
        under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(under_way))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that failed.
#[derive(Clone, Debug)]
pub(crate) struct Broken(Arc<io::Error>);

impl Broken {
    fn new(kind: io::ErrorKind) -> Self {
        Self(Arc::new(kind.into()))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
