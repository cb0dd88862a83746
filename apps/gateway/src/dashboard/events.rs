//! The event stream: one snapshot per second, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use tokio::time::{MissedTickBehavior, interval};

use super::{Dashboard, same_origin::is_not_cross_site, state_json};

const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(1);

/// Streams until the client disconnects or the gateway shuts down, so that an open stream does not
/// delay draining.
pub(super) async fn stream(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    if !is_not_cross_site(&headers) {
        return (
            StatusCode::FORBIDDEN,
            "Cross-site request, or the host is neither an IP address nor localhost.\n",
        )
            .into_response();
    }
    let Ok(permit) = dashboard.stream_permits.clone().try_acquire_owned() else {
        let retry_after = [(RETRY_AFTER, HeaderValue::from_static("5"))];
        let text = "Too many event streams are open.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, retry_after, text).into_response();
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
