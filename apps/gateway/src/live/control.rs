//! Breaking and healing the embedded upstreams, and sending them traffic.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use scripted_origin::{Origin, Script};
use tokio::sync::{mpsc, oneshot};

use super::{Live, same_origin::is_same_origin};

/// What can be told to the embedded upstreams.
#[derive(Debug)]
pub(crate) struct Demo {
    embedded: Vec<Embedded>,
    tell: mpsc::Sender<Order>,
    measuring: AtomicBool,
    traffic: AtomicBool,
}

/// An upstream that fails in its own way when it is broken.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) broken: AtomicBool,
}

/// A way to fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) script: Script,
    /// What that is, in words.
    pub(crate) words: &'static str,
}

struct Order {
    upstream: usize,
    broken: bool,
    done: oneshot::Sender<io::Result<()>>,
}

/// What carries the orders out.
pub(crate) struct Orders(mpsc::Receiver<Order>);

impl Embedded {
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub(super) fn does(&self) -> &'static str {
        if self.is_broken() { self.fault.words } else { "answers 200" }
    }
}

impl Demo {
    pub(crate) fn new(embedded: Vec<Embedded>) -> (Self, Orders) {
        let (tell, orders) = mpsc::channel(1);
        let [measuring, traffic] = [true, false].map(AtomicBool::new);
        (Self { embedded, tell, measuring, traffic }, Orders(orders))
    }

    /// From now on the upstreams may be touched.
    pub(crate) fn measured(&self) {
        self.measuring.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_measuring(&self) -> bool {
        self.measuring.load(Ordering::Relaxed)
    }

    pub(crate) fn sends(&self) -> bool {
        self.traffic.load(Ordering::Relaxed)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.embedded.iter().map(|embedded| embedded.name)
    }

    pub(super) fn find(&self, name: &str) -> Option<(usize, &Embedded)> {
        self.embedded.iter().enumerate().find(|(_, embedded)| embedded.name == name)
    }

    async fn set(&self, name: &str, broken: bool) -> Answer {
        let (upstream, _) = self.find(name).ok_or(NO_SUCH)?;
        let (done, is_done) = oneshot::channel();
        let told = self.tell.send(Order { upstream, broken, done }).await;
        told.map_err(|_| STOPPING)?;
        is_done.await.map_err(|_| STOPPING)?.map_err(|_| CANNOT)?;
        Ok(StatusCode::NO_CONTENT)
    }
}

impl Orders {
    /// Carries out what is told, one after the other.
    pub(crate) async fn follow(mut self, demo: Arc<Demo>, mut origins: Vec<Origin>) {
        while let Some(Order { upstream, broken, done }) = self.0.recv().await {
            let embedded = &demo.embedded[upstream];
            let script = if broken { embedded.fault.script } else { Script::Healthy };
            let result = origins[upstream].follow(script).await;
            embedded.broken.store(broken, Ordering::Relaxed);
            // Whoever asked may be gone.
            let _ = done.send(result);
        }
    }
}

type Refusal = (StatusCode, &'static str);
type Answer = Result<StatusCode, Refusal>;

const FOREIGN: Refusal =
    (StatusCode::FORBIDDEN, "Only this gateway's own page, under an address, may do that.\n");
const NO_SUCH: Refusal = (StatusCode::NOT_FOUND, "No such upstream.\n");
const BUSY: Refusal = (StatusCode::CONFLICT, "The upstreams are being measured; try again soon.\n");
const STOPPING: Refusal = (StatusCode::SERVICE_UNAVAILABLE, "The gateway stops.\n");
const CANNOT: Refusal = (StatusCode::INTERNAL_SERVER_ERROR, "The upstream cannot listen again.\n");

pub(super) async fn break_it(
    State(live): State<Live>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer {
    allowed(&live, &headers)?.set(&name, true).await
}

pub(super) async fn heal(
    State(live): State<Live>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer {
    allowed(&live, &headers)?.set(&name, false).await
}

pub(super) async fn traffic(
    State(live): State<Live>,
    Path(on): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let demo = allowed(&live, &headers)?;
    let on = match &on[..] {
        "on" => true,
        "off" => false,
        _ => return Err((StatusCode::NOT_FOUND, "Say on or off.\n")),
    };
    demo.traffic.store(on, Ordering::Relaxed);
    Ok(StatusCode::NO_CONTENT)
}

fn allowed<'a>(live: &'a Live, headers: &HeaderMap) -> Result<&'a Demo, Refusal> {
    if !is_same_origin(headers) {
        return Err(FOREIGN);
    }
    let demo = live.demo.as_deref().ok_or(NO_SUCH)?;
    if demo.is_measuring() { Err(BUSY) } else { Ok(demo) }
}
