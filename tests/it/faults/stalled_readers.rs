//! Callers that never read the response body.

use std::{num::NonZeroU32, time::Duration};

use seawall::{
    in_flight::InFlightLimitLayer,
    standard::{StandardLayer, Timeouts},
    test_util::Step,
};
use tokio::time::sleep;
use tower::{Layer, ServiceExt};

use super::request;
use crate::support::upstream;

/// No timeout ends such a call, because timeouts act only while the body is polled.
#[tokio::test(start_paused = true)]
async fn in_flight_limit_releases_permit_when_caller_never_reads() {
    let timeouts = Timeouts::new(Duration::from_millis(300), Duration::from_millis(900)).unwrap();
    let gateway = StandardLayer::gateway("edge")
        .in_flight(InFlightLimitLayer::new(NonZeroU32::new(2).unwrap()))
        .timeouts(timeouts.body_idle(Duration::from_millis(200)))
        .layer(upstream(Step::ok("hello")));
    let call = || gateway.clone().oneshot(request("GET", "http://up/"));
    let unread = [call().await.unwrap(), call().await.unwrap()];
    assert_eq!(unread.each_ref().map(|response| response.status().as_u16()), [200; 2]);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        sleep(Duration::from_secs(1)).await;
        statuses.push(call().await.unwrap().status().as_u16());
    }
    assert!(statuses.contains(&200), "{statuses:?}");
    drop(unread);
}
