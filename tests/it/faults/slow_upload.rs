//! Callers whose request body is slow or stalls. The upstream responds as soon as it has read the
//! body.

use std::{collections::BTreeSet, convert::Infallible, num::NonZeroU32, time::Duration};

use ::axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};
use http::Request;
use seawall::{
    circuit_breaker::{CircuitBreakerLayer, State},
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
    standard::{StandardLayer, Timeouts},
    test_util::{Script, Step},
};
use tokio::time::{sleep, timeout};
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
async fn circuit_stays_closed_when_callers_upload_slowly() {
    let timeouts = Timeouts::new(Duration::from_millis(300), Duration::from_secs(5)).unwrap();
    let layer = StandardLayer::gateway("edge").timeouts(timeouts);
    let outcome = upload(layer, slow_body).await;
    assert_eq!(outcome, ([200].into(), vec![State::Closed], 200));
}

#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_when_callers_stall_in_upload() {
    let outcome = upload(StandardLayer::gateway("edge"), stalled_body).await;
    assert_eq!(outcome, ([408].into(), vec![State::Closed], 200));
}

#[tokio::test(start_paused = true)]
async fn retry_sends_put_once_when_caller_stalls_in_upload() {
    let upstream = upstream(Step::ok("ok"));
    let gateway = StandardLayer::gateway("edge").layer(upstream.clone());
    gateway.oneshot(request("PUT", stalled_body())).await.unwrap();
    assert_eq!(upstream.requests(), 1);
}

/// Returns a body that yields a byte per second, forever.
fn endless_body() -> Body {
    Body::from_stream(stream::repeat(()).then(async |()| {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(Bytes::from_static(b"x"))
    }))
}

/// Without a total timeout, only the lease of a probe ends an endless upload.
#[tokio::test(start_paused = true)]
async fn half_open_circuit_closes_when_uploads_occupy_probes() {
    const PROBES: usize = 5;

    let timeouts = Timeouts::default();
    for (body, timeouts, released_after) in [
        (stalled_body as fn() -> Body, timeouts, 10),
        (endless_body, timeouts, 30),
        (endless_body, timeouts.without_total(), 30),
    ] {
        let script = Script::new().times(CALLERS as u64, Step::reset());
        let script = script.then_repeat(Step::ok("ok"));
        let layer = StandardLayer::gateway("edge").without_retry().timeouts(timeouts);
        let gateway = layer.layer(upstream(script));
        let call = async |request| gateway.clone().oneshot(request).await.unwrap().status();
        for _ in 0..CALLERS {
            assert_eq!(call(request("GET", Body::empty())).await, 502);
        }
        assert_eq!(circuit_states(&layer), [State::Open]);
        sleep(Duration::from_secs(2)).await;
        let mut uploads = Box::pin(join_all((0..PROBES).map(|_| call(request("PUT", body())))));
        assert!(timeout(Duration::from_secs(released_after - 1), &mut uploads).await.is_err());
        assert_eq!(call(request("GET", Body::empty())).await, 503);
        let _ = timeout(Duration::from_secs(2), &mut uploads).await;
        for _ in 0..PROBES {
            assert_eq!(call(request("GET", Body::empty())).await, 200);
        }
        assert_eq!(circuit_states(&layer), [State::Closed]);
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_does_not_count_slow_upload_as_slow_call() {
    let breaker = CircuitBreakerLayer::new().slow_call_threshold(Duration::from_millis(500));
    let layer = StandardLayer::gateway("edge").circuit_breaker(breaker);
    let outcome = upload(layer, slow_body).await;
    assert_eq!(outcome, ([200].into(), vec![State::Closed], 200));
}

/// Uploads of a second would make an upstream that responds in 20 ms look slow.
#[tokio::test(start_paused = true)]
async fn adaptive_limit_ignores_waits_for_uploads() {
    const INITIAL: u32 = 20;

    let count = |count| NonZeroU32::new(count).unwrap();
    let limit = AdaptiveLimit::new().initial(count(INITIAL)).min(count(2)).max(count(INITIAL));
    let layer = StandardLayer::gateway("edge").in_flight(InFlightLimitLayer::adaptive(limit));
    let gateway = layer.layer(upstream(Step::ok("ok").delay(Duration::from_millis(20))));
    for (method, body, rounds) in [
        ("GET", Body::empty as fn() -> Body, 200),
        ("PUT", slow_body, 40),
        ("PUT", stalled_body, 3),
    ] {
        for _ in 0..rounds {
            let call = || gateway.clone().oneshot(request(method, body()));
            let responses = join_all((0..INITIAL - 5).map(|_| call())).await;
            assert!(responses.iter().flatten().all(|response| response.status() != 503));
        }
    }
}
