//! Steady load on the demo's upstreams while it is enabled and the dashboard is open.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Bytes;
use axum::http::Uri;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::dashboard::{Dashboard, DemoControls};

/// The interval between two requests to the same upstream.
const REQUEST_INTERVAL: Duration = Duration::from_millis(200);

/// The maximum number of requests in flight. Requests above it are skipped.
const MAX_IN_FLIGHT: usize = 64;

/// Sends requests through the gateway until it shuts down.
pub(crate) async fn run(gateway: SocketAddr, dashboard: Dashboard, controls: Arc<DemoControls>) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let urls: Vec<Uri> = controls
        .names()
        .filter_map(|name| format!("http://{gateway}/{name}").parse().ok())
        .collect();
    let mut calls = JoinSet::new();
    let mut ticks = interval(REQUEST_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = dashboard.shutdown() => return,
            _ = ticks.tick() => {}
        }
        while calls.try_join_next().is_some() {}
        if !controls.background_load() || !dashboard.has_viewers() {
            continue;
        }
        for url in &urls {
            if calls.len() < MAX_IN_FLIGHT {
                let call = client.get(url.clone());
                calls.spawn(async move {
                    if let Ok(response) = call.await {
                        let _ = response.into_body().collect().await;
                    }
                });
            }
        }
    }
}
