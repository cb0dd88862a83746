//! Upstreams that answer when all requests have come, and such as fail.

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

/// What follows the request's own bytes in an answer.
pub(crate) const END: &str = " and that is all";

/// Whoever waits for all the others waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(40);

/// What the upstreams together have seen.
#[derive(Debug)]
pub(crate) struct Seen {
    /// How often each request was answered to the end.
    answers: Mutex<HashMap<String, usize>>,
    broken_off: Mutex<HashSet<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
    /// Answers are given once it is true.
    gate: watch::Sender<bool>,
    wanted: AtomicUsize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            broken_off: Mutex::default(),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            gate: watch::Sender::new(false),
            wanted: AtomicUsize::new(0),
        }
    }
}

impl Seen {
    /// Forgets what was, and answers none before nearly so many wait at once.
    pub(crate) fn begin(&self, requests: usize) {
        self.answers.lock().unwrap().clear();
        self.broken_off.lock().unwrap().clear();
        self.most.store(0, Ordering::Relaxed);
        // Some fail for good, and so never come here.
        self.wanted.store(requests * 91 / 100, Ordering::Relaxed);
        self.gate.send_replace(false);
    }

    /// How many requests waited at once at the most.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// How many requests were answered to the end.
    pub(crate) fn answered(&self) -> usize {
        self.answers.lock().unwrap().len()
    }

    pub(crate) fn answered_twice(&self) -> usize {
        self.answers.lock().unwrap().values().filter(|times| **times > 1).count()
    }

    /// Whether the answer to this request was broken off.
    pub(crate) fn broke_off(&self, id: &str) -> bool {
        self.broken_off.lock().unwrap().contains(id)
    }

    async fn wait_for_the_others(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        if now >= self.wanted.load(Ordering::Relaxed) {
            self.gate.send_replace(true);
        }
        let mut gate = self.gate.subscribe();
        let _ = tokio::time::timeout(PATIENCE, gate.wait_for(|open| *open)).await;
        self.now.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) struct Upstreams(Vec<(String, JoinHandle<()>)>);

#[derive(Clone, Copy)]
enum Kind {
    Well,
    /// Breaks off every tenth answer in the middle.
    BreaksOff,
    Fails(StatusCode),
    RateLimits,
}

type Told = State<(Arc<Seen>, Kind, Arc<AtomicUsize>)>;

impl Upstreams {
    /// Three that answer, and one each that breaks off, fails, is overloaded, limits the rate.
    pub(crate) async fn start(seen: &Arc<Seen>) -> Self {
        let overloaded = StatusCode::from_u16(529).unwrap();
        let mut all = Vec::new();
        for kind in [
            Kind::Well,
            Kind::Well,
            Kind::Well,
            Kind::BreaksOff,
            Kind::Fails(StatusCode::BAD_GATEWAY),
            Kind::Fails(overloaded),
            Kind::RateLimits,
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let told = (Arc::clone(seen), kind, Arc::default());
            let router = Router::new().fallback(answer).with_state(told);
            let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
            all.push((url, serving));
        }
        Self(all)
    }

    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(url, _)| url.as_str())
    }
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        for (_, serving) in &self.0 {
            serving.abort();
        }
    }
}

async fn answer(State((seen, kind, count)): Told, headers: HeaderMap, id: String) -> Response {
    assert_eq!(headers["x-id"], id.as_str());
    match kind {
        Kind::Fails(status) => return (status, "failed on purpose").into_response(),
        Kind::RateLimits => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after-ms", "300")]).into_response();
        }
        Kind::Well | Kind::BreaksOff => {}
    }
    seen.wait_for_the_others().await;
    let breaks =
        matches!(kind, Kind::BreaksOff) && count.fetch_add(1, Ordering::Relaxed).is_multiple_of(10);
    if breaks {
        seen.broken_off.lock().unwrap().insert(id.clone());
    } else {
        *seen.answers.lock().unwrap().entry(id.clone()).or_default() += 1;
    }
    let first = stream::once(async { Ok(Bytes::from(id)) });
    let last = stream::once(async move {
        // So that the first part is written.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if breaks { Err(std::io::Error::other("on purpose")) } else { Ok(Bytes::from(END)) }
    });
    Body::from_stream(first.chain(last)).into_response()
}
