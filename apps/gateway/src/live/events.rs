//! The stream of snapshots: one a second, as server-sent events.

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

use super::{Live, same_origin::may_watch, snapshot};

const EVERY: Duration = Duration::from_secs(1);

/// Streams until the client goes or the gateway stops, so that draining does not wait for it.
pub(super) async fn stream(State(live): State<Live>, headers: HeaderMap) -> Response {
    if !may_watch(&headers) {
        return (StatusCode::FORBIDDEN, "Only this gateway's own page may watch.\n")
            .into_response();
    }
    let Ok(place) = live.places.clone().try_acquire_owned() else {
        let wait = [(RETRY_AFTER, HeaderValue::from_static("5"))];
        let text = "As many pages are watching as may.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, wait, text).into_response();
    };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // The place is held as long as the stream is.
    let events = stream::unfold((ticks, live, place), async |(mut ticks, live, place)| {
        tokio::select! {
            biased;
            () = live.told() => None,
            _ = ticks.tick() => {
                let event = Event::default().data(snapshot::json(&live));
                Some((Ok::<_, Infallible>(event), (ticks, live, place)))
            }
        }
    });
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
