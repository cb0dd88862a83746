//! A chain of real hops: client → outer gateway → inner gateway → an origin that never responds.
//!
//! The test uses real sockets and therefore real time. Each hop gives half of its remaining time to
//! the next hop: the inner gateway times out after 1 s, the outer gateway after 2 s, and the client
//! after 4 s. The name in `Proxy-Status` identifies the hop that timed out first.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, serve};
use http::{Request, Response, Uri, header::HOST};
use scripted_origin::{Origin, Script};
use seawall::{
    BoxError, Cause,
    body_timeout::BodyTimeoutLayer,
    deadline::{
        DeadlineHeaderLayer, DeadlineLayer,
        TimeoutHeader::{self, EnvoyExpected, Grpc},
    },
    error_response::ErrorResponseLayer,
    retry::{ReplayBody, RetryLayer, RetryReport, StopReason},
    timeout::TimeoutLayer,
};
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::support::sockets::{hyper_client, origin, read};

const TOTAL: Duration = Duration::from_secs(4);
/// A margin longer than the total time. The layer caps it at half of the remaining time.
const OVERSIZED_MARGIN: Duration = Duration::from_secs(60);

/// Returns the stack of each hop.
///
/// `min_attempt_time` exceeds the remaining time after the first attempt, so no hop retries.
fn stack(
    total: Duration,
    header: TimeoutHeader,
    upstream: SocketAddr,
) -> impl Service<
    Request<Body>,
    Response = Response<impl http_body::Body<Data = bytes::Bytes, Error = BoxError> + Send>,
    Error = BoxError,
    Future: Send,
> + Clone
+ Send
+ Sync {
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(total).trust_header(header))
        .layer(RetryLayer::new().min_attempt_time(total))
        .layer(TimeoutLayer::new(total * 10))
        .layer(BodyTimeoutLayer::new())
        .layer(DeadlineHeaderLayer::new(header).margin(OVERSIZED_MARGIN))
        .map_request(move |mut request: Request<ReplayBody<Body>>| {
            *request.uri_mut() = Uri::try_from(format!("http://{upstream}/")).unwrap();
            request.headers_mut().remove(HOST);
            request
        })
        .service(hyper_client())
}

/// Starts a gateway whose own timeout is long, so that it applies the timeout in `header`.
async fn gateway(name: &'static str, header: TimeoutHeader, upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = ServiceBuilder::new().layer(ErrorResponseLayer::new(name)).service(stack(
        TOTAL * 100,
        header,
        upstream,
    ));
    let service = service.map_response(|response: Response<_>| response.map(Body::new));
    // The task ends with the runtime of the test.
    tokio::spawn(async { serve(listener, Router::new().fallback_service(service)).await });
    address
}

/// Returns the timeout in `header` of the first request that the origin received.
fn received_timeout(origin: &Origin, header: TimeoutHeader) -> Duration {
    let head = origin.received()[0].head.to_lowercase();
    let prefix = format!("{}: ", header.as_str());
    let value = head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap();
    // `head` is in lower case, but the unit of `grpc-timeout` is `S`.
    let value = value.trim().replace('s', "S");
    header.parse(value.as_bytes()).unwrap()
}

#[tokio::test]
async fn innermost_hop_times_out_first_and_others_pass_its_response() {
    for header in [Grpc, EnvoyExpected] {
        let origin = origin(Script::Silent).await;
        let inner = gateway("inner", header, origin.addr()).await;
        let outer = gateway("outer", header, inner).await;
        let client = stack(TOTAL, header, outer);
        let response = client.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), 504);
        // If the outer gateway had timed out, it would have added a member. If the client had timed
        // out, the call would have failed.
        let members: Vec<_> = response.headers().get_all("proxy-status").iter().collect();
        assert_eq!(members, ["inner;error=http_response_timeout"]);
        // No hop retried, because the remaining time was too short.
        assert_eq!(origin.requests(), 1);
        let timeout = received_timeout(&origin, header);
        assert!(timeout <= TOTAL / 8, "expected at most {:?}, found {timeout:?}", TOTAL / 8);
        let report = response.extensions().get::<RetryReport>().unwrap();
        assert_eq!(report.stop_reason(), Some(StopReason::DeadlineTooNear));
        let problem: serde_json::Value = serde_json::from_slice(
            &read(response).await.unwrap_or_else(|_| panic!("expected a complete body")),
        )
        .unwrap();
        assert_eq!(problem["cause"], Cause::HttpResponseTimeout.as_str());
    }
}
