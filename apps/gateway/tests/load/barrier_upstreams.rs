//! Upstreams that respond after all requests have arrived, and upstreams that fail.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// The end of a complete response body, after the request's id.
pub(crate) const BODY_END: &str = " and that is all";

/// The maximum wait for all requests to arrive.
const BARRIER_TIMEOUT: Duration = Duration::from_secs(40);

/// The requests that all upstreams together received.
#[derive(Debug)]
pub(crate) struct RequestLog {
    /// The number of complete responses by request id.
    responses: Mutex<HashMap<String, usize>>,
    interrupted: Mutex<HashSet<String>>,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    /// Becomes true when enough requests are in flight.
    barrier: watch::Sender<bool>,
    barrier_size: AtomicUsize,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            responses: Mutex::default(),
            interrupted: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
            barrier: watch::Sender::new(false),
            barrier_size: AtomicUsize::new(0),
        }
    }
}

impl RequestLog {
    /// Clears the log and closes the barrier until 91 % of `requests` are in flight.
    pub(crate) fn start_round(&self, requests: usize) {
        self.responses.lock().unwrap().clear();
        self.interrupted.lock().unwrap().clear();
        self.max_in_flight.store(0, Ordering::Relaxed);
        // Requests that exhaust their retries at the failing upstreams never reach the barrier.
        self.barrier_size.store(requests * 91 / 100, Ordering::Relaxed);
        self.barrier.send_replace(false);
    }

    /// Returns the maximum number of requests in flight at the barrier.
    pub(crate) fn max_in_flight(&self) -> usize {
        self.max_in_flight.load(Ordering::Relaxed)
    }

    /// Returns the number of requests with a complete response.
    pub(crate) fn completed(&self) -> usize {
        self.responses.lock().unwrap().len()
    }

    /// Returns the number of requests with more than one complete response.
    pub(crate) fn duplicates(&self) -> usize {
        self.responses.lock().unwrap().values().filter(|count| **count > 1).count()
    }

    /// Returns whether the response to this request was interrupted.
    pub(crate) fn was_interrupted(&self, id: &str) -> bool {
        self.interrupted.lock().unwrap().contains(id)
    }

    async fn wait_at_barrier(&self) {
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.max_in_flight.fetch_max(in_flight, Ordering::Relaxed);
        if in_flight >= self.barrier_size.load(Ordering::Relaxed) {
            self.barrier.send_replace(true);
        }
        let mut barrier = self.barrier.subscribe();
        let _ = tokio::time::timeout(BARRIER_TIMEOUT, barrier.wait_for(|open| *open)).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) struct Upstreams(Vec<(String, JoinHandle<()>)>);

#[derive(Clone, Copy)]
enum Behavior {
    Healthy,
    /// Interrupts every tenth response.
    Interrupts,
    Fails(StatusCode),
    RateLimits,
}

type HandlerState = State<(Arc<RequestLog>, Behavior, Arc<AtomicUsize>)>;

impl Upstreams {
    /// Starts three healthy upstreams and one of each failing behavior.
    pub(crate) async fn start(log: &Arc<RequestLog>) -> Self {
        let overloaded = StatusCode::from_u16(529).unwrap();
        let mut upstreams = Vec::new();
        for behavior in [
            Behavior::Healthy,
            Behavior::Healthy,
            Behavior::Healthy,
            Behavior::Interrupts,
            Behavior::Fails(StatusCode::BAD_GATEWAY),
            Behavior::Fails(overloaded),
            Behavior::RateLimits,
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let state = (Arc::clone(log), behavior, Arc::default());
            let router = Router::new().fallback(respond).with_state(state);
            let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
            upstreams.push((url, server));
        }
        Self(upstreams)
    }

    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(url, _)| url.as_str())
    }
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        for (_, server) in &self.0 {
            server.abort();
        }
    }
}

async fn respond(
    State((log, behavior, count)): HandlerState,
    headers: HeaderMap,
    id: String,
) -> Response {
    assert_eq!(headers["x-id"], id.as_str());
    match behavior {
        Behavior::Fails(status) => return (status, "failed on purpose").into_response(),
        Behavior::RateLimits => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after-ms", "300")]).into_response();
        }
        Behavior::Healthy | Behavior::Interrupts => {}
    }
    log.wait_at_barrier().await;
    let interrupt = matches!(behavior, Behavior::Interrupts)
        && count.fetch_add(1, Ordering::Relaxed).is_multiple_of(10);
    if interrupt {
        log.interrupted.lock().unwrap().insert(id.clone());
    } else {
        *log.responses.lock().unwrap().entry(id.clone()).or_default() += 1;
    }
    let first = stream::once(async { Ok(Bytes::from(id)) });
    let last = stream::once(async move {
        // Gives hyper time to write the first frame.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if interrupt { Err(std::io::Error::other("on purpose")) } else { Ok(Bytes::from(BODY_END)) }
    });
    Body::from_stream(first.chain(last)).into_response()
}
