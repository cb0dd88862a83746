//! Callers whose request body is slow or stalls. The upstream responds as soon as it has read the
//! body.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use ::axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};
use http::Request;
use seawall::{
    circuit_breaker::State,
    standard::{StandardLayer, Timeouts},
    test_util::Step,
};
use tokio::time::sleep;
use tower::{Layer, ServiceExt};

use super::{GatewayLayer, circuit_states};
use crate::support::upstream;

/// The number of failures that opens a circuit with default settings.
const CALLERS: usize = 20;

/// Returns a body that yields 20 bytes within one second.
fn slow_body() -> Body {
    Body::from_stream(stream::unfold(0, async |sent| {
        sleep(Duration::from_millis(50)).await;
        (sent < 20).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"x")), sent + 1))
    }))
}

/// Returns a body that yields two bytes and then stalls.
fn stalled_body() -> Body {
    let data = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"xx"))]);
    Body::from_stream(data.chain(stream::pending()))
}

fn request(method: &str, body: Body) -> Request<Body> {
    Request::builder().method(method).uri("http://up/").body(body).unwrap()
}

/// Makes an upload per caller. Returns their statuses, the circuit states, and the status of a GET
/// by another caller.
async fn upload(layer: GatewayLayer, body: fn() -> Body) -> (BTreeSet<u16>, Vec<State>, u16) {
    let gateway = layer.layer(upstream(Step::ok("ok")));
    let call = async |request| {
        let response = gateway.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    };
    let uploads = join_all((0..CALLERS).map(|_| call(request("POST", body())))).await;
    let states = circuit_states(&layer);
    (uploads.into_iter().collect(), states, call(request("GET", Body::empty())).await)
}

#[tokio::test(start_paused = true)]
#[ignore = "22: an upload that takes longer than an attempt's timeout opens the upstream's circuit"]
async fn circuit_stays_closed_when_callers_upload_slowly() {
    let timeouts = Timeouts::new(Duration::from_millis(300), Duration::from_secs(5)).unwrap();
    let layer = StandardLayer::gateway("edge").timeouts(timeouts);
    let outcome = upload(layer, slow_body).await;
    assert_eq!(outcome, ([200].into(), vec![State::Closed], 200));
}

#[tokio::test(start_paused = true)]
#[ignore = "22: callers that stall in their upload open the upstream's circuit and receive 504"]
async fn circuit_stays_closed_when_callers_stall_in_upload() {
    let outcome = upload(StandardLayer::gateway("edge"), stalled_body).await;
    assert_eq!(outcome, ([408].into(), vec![State::Closed], 200));
}

#[tokio::test(start_paused = true)]
#[ignore = "22: a PUT whose caller stalls is sent several times"]
async fn retry_sends_put_once_when_caller_stalls_in_upload() {
    let upstream = upstream(Step::ok("ok"));
    let gateway = StandardLayer::gateway("edge").layer(upstream.clone());
    gateway.oneshot(request("PUT", stalled_body())).await.unwrap();
    assert_eq!(upstream.requests(), 1);
}
