//! Steady traffic to the embedded upstreams, while somebody wants it and looks.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Bytes;
use axum::http::Uri;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::live::{Demo, Live};

/// Five requests a second to each upstream.
const EVERY: Duration = Duration::from_millis(200);

/// So many requests may be under way; beyond it none are sent.
const AT_ONCE: usize = 64;

/// Sends requests through the gateway, as a caller would, until the gateway stops.
pub(crate) async fn steadily(gateway: SocketAddr, live: Live, demo: Arc<Demo>) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let urls: Vec<Uri> =
        demo.names().filter_map(|name| format!("http://{gateway}/{name}").parse().ok()).collect();
    let mut calls = JoinSet::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = live.told() => return,
            _ = ticks.tick() => {}
        }
        while calls.try_join_next().is_some() {}
        if !demo.sends() || !live.is_watched() {
            continue;
        }
        for url in &urls {
            if calls.len() < AT_ONCE {
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
