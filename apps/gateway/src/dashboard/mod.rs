//! The dashboard: a live page of circuits, calls and failures.
//!
//! All its paths except `/` start with `/@/`, which no upstream name can contain.

mod admin;
mod assets;
mod demo_controls;
mod events;
mod state_json;

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    Router,
    routing::{get, post},
};
use tokio::sync::watch;

pub(crate) use self::{
    assets::index,
    demo_controls::{DemoControls, DemoUpstream, Fault},
};
use crate::{access::Viewers, upstream::Upstream};

/// The state behind the dashboard.
///
/// # Clone
///
/// Clones share the state.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    upstreams: Arc<RwLock<Arc<[Upstream]>>>,
    /// The controls of the demo. `None` with real upstreams.
    demo: Option<Arc<DemoControls>>,
    viewers: Viewers,
    /// Becomes true when the gateway shuts down.
    shutdown: watch::Receiver<bool>,
}

impl Dashboard {
    pub(crate) fn new(demo: Option<Arc<DemoControls>>, shutdown: watch::Receiver<bool>) -> Self {
        let upstreams = Arc::new(RwLock::default());
        Self { upstreams, demo, viewers: Viewers::default(), shutdown }
    }

    /// Replaces the upstreams on the page.
    pub(crate) fn set_upstreams(&self, upstreams: &[Upstream]) {
        *self.upstreams.write().unwrap_or_else(PoisonError::into_inner) = upstreams.into();
    }

    fn upstreams(&self) -> Arc<[Upstream]> {
        Arc::clone(&self.upstreams.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns whether any event stream is open.
    pub(crate) fn has_viewers(&self) -> bool {
        self.viewers.any()
    }

    /// Waits until the gateway shuts down.
    pub(crate) async fn shutdown(&self) {
        // An error means that the sender was dropped, so the server has stopped.
        let _ = self.shutdown.clone().wait_for(|&shutdown| shutdown).await;
    }

    /// Returns the routes below `/@/`.
    pub(crate) fn routes(self) -> Router {
        let router = assets::routes().route("/@/events", get(events::stream));
        let router = if self.demo.is_some() {
            router
                .route("/@/break/{name}", post(admin::inject_fault))
                .route("/@/break/{name}/{fault}", post(admin::inject_common_fault))
                .route("/@/heal/{name}", post(admin::clear_fault))
                .route("/@/background-load/{enabled}", post(admin::set_background_load))
        } else {
            router
        };
        router.with_state(self)
    }
}
