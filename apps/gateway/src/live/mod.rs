//! A page that shows what the layers do, while they do it.
//!
//! All of it stands below `/@/`, which no upstream's name can be, but for `/` itself.

mod control;
mod events;
mod page;
mod same_origin;
mod snapshot;

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    Router,
    routing::{get, post},
};
use tokio::sync::{Semaphore, watch};

pub(crate) use self::{
    control::{Demo, Embedded, Fault},
    page::index,
    same_origin::may_watch,
};
use crate::proxy::Upstream;

/// How many pages may listen at once; one more is told to come again.
const SUBSCRIBERS: usize = 32;

/// What the page knows. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    upstreams: Arc<RwLock<Arc<[Upstream]>>>,
    /// The embedded upstreams can be broken and healed, and sent traffic; real ones cannot.
    demo: Option<Arc<Demo>>,
    places: Arc<Semaphore>,
    /// Becomes true when the gateway stops.
    told: watch::Receiver<bool>,
}

impl Live {
    pub(crate) fn new(
        upstreams: &[Upstream],
        demo: Option<Arc<Demo>>,
        told: watch::Receiver<bool>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(SUBSCRIBERS));
        let upstreams = Arc::new(RwLock::new(upstreams.into()));
        Self { upstreams, demo, places, told }
    }

    /// From now on, those.
    pub(crate) fn show(&self, upstreams: &[Upstream]) {
        *self.upstreams.write().unwrap_or_else(PoisonError::into_inner) = upstreams.into();
    }

    fn upstreams(&self) -> Arc<[Upstream]> {
        Arc::clone(&self.upstreams.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether any page listens.
    pub(crate) fn is_watched(&self) -> bool {
        self.places.available_permits() < SUBSCRIBERS
    }

    /// Waits until the gateway stops.
    pub(crate) async fn told(&self) {
        // An error: whoever could tell is gone, so nothing is served any more.
        let _ = self.told.clone().wait_for(|&told| told).await;
    }

    /// What stands below `/@/`.
    pub(crate) fn routes(self) -> Router {
        let router = page::assets().route("/@/events", get(events::stream));
        let router = if self.demo.is_some() {
            router
                .route("/@/break/{name}", post(control::break_it))
                .route("/@/heal/{name}", post(control::heal))
                .route("/@/traffic/{on}", post(control::traffic))
        } else {
            router
        };
        router.with_state(self)
    }
}
