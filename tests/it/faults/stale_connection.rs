//! A server that resets a connection it has just used.
//!
//! Uses real sockets and the real clock.

use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use seawall::{
    Cause,
    classify::classify_error,
    hyper_util::TrackReuse,
    standard::StandardLayer,
    test_util::{FlakyUpstream, Step},
};
use tower::{Layer, ServiceExt};

use super::{request, within_limit};

/// The connection is idle for about a millisecond, which is too short for an idle timeout.
#[tokio::test]
async fn failure_denies_staleness_when_connection_was_not_idle() {
    let upstream = FlakyUpstream::start([Step::ok("ok"), Step::reset()]).await.unwrap();
    let connector = TrackReuse::new(HttpConnector::new());
    let hyper = Client::builder(TokioExecutor::new()).build(connector);
    let client = StandardLayer::new("up").without_retry().layer(hyper);
    let call = || client.clone().oneshot(request("GET", &upstream.url("/")));
    let error = within_limit(async {
        call().await.unwrap().into_body().collect().await.unwrap();
        call().await.unwrap_err()
    });
    let failure = classify_error(&*error.await);
    assert_eq!((upstream.connections(), upstream.requests()), (1, 2));
    assert_eq!(failure.cause(), Cause::ConnectionTerminated);
    assert!(!failure.is_stale_connection(), "{failure}");
}
