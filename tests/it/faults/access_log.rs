//! The access log of a gateway.

use seawall::{standard::StandardLayer, test_util::FlakyUpstream};
use tracing::level_filters::LevelFilter;

use super::{post_to, serve_gateway, within_limit};
use crate::log_capture::Recorder;

/// The documented gateway rewrites the URI outside the stack, so the server's log line contains the
/// upstream's URL. OpenTelemetry defines `url.path` and `server.address` of a server by the
/// received request.
#[tokio::test]
#[ignore = "22: the access log contains the upstream's URL instead of the requested one"]
async fn access_log_contains_requested_url_when_uri_is_rewritten() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let upstream = FlakyUpstream::refusing().unwrap();
    within_limit(async {
        let gateway = serve_gateway(StandardLayer::gateway("edge"), upstream.addr()).await;
        post_to(gateway, "shop.example", "/billing/invoice").await;
    })
    .await;
    let lines = recorder.lines();
    // Only a server's log line has this field.
    let line = lines.iter().find(|line| line.get("url.path").is_some()).unwrap();
    let logged = (line.get("url.path"), line.get("server.address"));
    assert_eq!(logged, (Some("/billing/invoice"), Some("shop.example")));
}
