//! The event stream: one snapshot per second, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header::CACHE_CONTROL},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use tokio::time::{MissedTickBehavior, interval};

use super::{Dashboard, state_json};
use crate::access::{ClientNetwork, Problem};

const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(1);

const TOO_MANY_STREAMS: Problem = Problem::unavailable(
    "Too many event streams are open, in total or from this address.",
    Duration::from_secs(5),
);

/// Streams until the client disconnects or the gateway shuts down, so that an open stream does not
/// delay draining.
pub(super) async fn stream(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let Some(permit) = dashboard.viewers.try_acquire(ClientNetwork::of(&request)) else {
        return TOO_MANY_STREAMS.into_response();
    };
    let mut ticks = interval(SNAPSHOT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // The stream's state holds the permit until the stream is dropped.
    let state = (ticks, dashboard, permit);
    let events = stream::unfold(state, async |(mut ticks, dashboard, permit)| {
        tokio::select! {
            biased;
            () = dashboard.shutdown() => None,
            _ = ticks.tick() => {
                let event = Event::default().data(state_json::snapshot(&dashboard));
                Some((Ok::<_, Infallible>(event), (ticks, dashboard, permit)))
            }
        }
    });
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
