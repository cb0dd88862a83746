//! Error responses with truncated bodies.
//!
//! Uses real sockets and the real clock.

use http::Version;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    standard::StandardLayer,
    test_util::{FlakyUpstream, Step},
};

use super::{GatewayLayer, post_to, serve_gateway, within_limit};
use crate::support::sockets::{empty, request};

/// Starts an upstream whose body ends one byte before its `content-length`.
async fn upstream(status: u16) -> FlakyUpstream {
    FlakyUpstream::start(Step::status(status).body("<html>").truncated()).await.unwrap()
}

/// Returns the first line that an HTTP/1.1 caller of the gateway receives.
async fn status_line(layer: GatewayLayer, status: u16) -> String {
    let upstream = upstream(status).await;
    within_limit(async {
        let gateway = serve_gateway(layer, upstream.addr()).await;
        post_to(gateway, "shop.example", "/").await
    })
    .await
}

#[tokio::test]
async fn gateway_forwards_truncated_502_when_classifier_is_off() {
    let layer = StandardLayer::gateway("edge").without_bad_gateway();
    assert_eq!(status_line(layer, 502).await, "HTTP/1.1 502 Bad Gateway");
}

/// The classifier peeks at the body and gets its error. If head, data and error were forwarded within
/// one poll, hyper's server would close the connection before it writes the head.
#[tokio::test]
async fn gateway_answers_502_when_upstream_502_is_truncated() {
    let line = status_line(StandardLayer::gateway("edge"), 502).await;
    assert_eq!(line, "HTTP/1.1 502 Bad Gateway");
}

/// The caller may get the upstream's head or a response of the gateway.
#[tokio::test]
async fn gateway_answers_5xx_when_upstream_500_is_truncated() {
    let line = status_line(StandardLayer::gateway("edge"), 500).await;
    let allowed = ["HTTP/1.1 500 Internal Server Error", "HTTP/1.1 502 Bad Gateway"];
    assert!(allowed.contains(&&*line), "{line:?}");
}

#[tokio::test]
async fn gateway_answers_http2_caller_when_502_is_truncated() {
    let upstream = upstream(502).await;
    let response = within_limit(async {
        let gateway = serve_gateway(StandardLayer::gateway("edge"), upstream.addr()).await;
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        client.request(request("POST", &format!("http://{gateway}/"), empty())).await
    });
    let head = response.await.map(|response| (response.status().as_u16(), response.version()));
    assert_eq!(head.map_err(|error| format!("{error:?}")), Ok((502, Version::HTTP_2)));
}
