//! Callers whose request body is slow or stalls. The upstream reads what arrives and answers at once.

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

use super::{GatewayLayer, states};
use crate::support::upstream;

/// As many as open a circuit by default.
const CALLERS: usize = 20;

/// 20 bytes within a second.
fn slow() -> Body {
    Body::from_stream(stream::unfold(0, async |sent| {
        sleep(Duration::from_millis(50)).await;
        (sent < 20).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"x")), sent + 1))
    }))
}

/// Two bytes, and then nothing.
fn stalled() -> Body {
    let data = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"xx"))]);
    Body::from_stream(data.chain(stream::pending()))
}

fn send(method: &str, body: Body) -> Request<Body> {
    Request::builder().method(method).uri("http://up/").body(body).unwrap()
}

/// Uploads by all callers. Returns their statuses, the circuit's state, and the status of another caller's GET.
async fn upload(layer: GatewayLayer, body: fn() -> Body) -> (BTreeSet<u16>, Vec<State>, u16) {
    let gateway = layer.layer(upstream(Step::ok("ok")));
    let call = async |request| {
        let response = gateway.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    };
    let uploads = join_all((0..CALLERS).map(|_| call(send("POST", body())))).await;
    let states = states(&layer);
    (uploads.into_iter().collect(), states, call(send("GET", Body::empty())).await)
}

#[tokio::test(start_paused = true)]
#[ignore = "22: an upload that takes longer than an attempt's timeout opens the upstream's circuit"]
async fn circuit_stays_closed_when_callers_upload_slowly() {
    let timeouts = Timeouts::new(Duration::from_millis(300), Duration::from_secs(5)).unwrap();
    let layer = StandardLayer::gateway("edge").timeouts(timeouts);
    let outcome = upload(layer, slow).await;
    assert_eq!(outcome, ([200].into(), vec![State::Closed], 200));
}

#[tokio::test(start_paused = true)]
#[ignore = "22: callers that stall in their upload open the upstream's circuit and receive 504"]
async fn circuit_stays_closed_when_callers_stall_in_upload() {
    let outcome = upload(StandardLayer::gateway("edge"), stalled).await;
    assert_eq!(outcome, ([408].into(), vec![State::Closed], 200));
}

#[tokio::test(start_paused = true)]
#[ignore = "22: a PUT whose caller stalls is sent several times"]
async fn retry_sends_put_once_when_caller_stalls_in_upload() {
    let upstream = upstream(Step::ok("ok"));
    let gateway = StandardLayer::gateway("edge").layer(upstream.clone());
    gateway.oneshot(send("PUT", stalled())).await.unwrap();
    assert_eq!(upstream.requests(), 1);
}
