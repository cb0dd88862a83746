//! A chain of real hops: client → outer gateway → inner gateway → an origin that never answers.
//!
//! Real sockets, so real time. Each hop keeps half of the time it is given, so the inner gateway's deadline passes when the
//! outer one has as much again left, and the client three times as much; who was first is told by who reports.

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

use crate::support::sockets::{hyper, origin, read};

const TOTAL: Duration = Duration::from_secs(4);
/// More than there ever is: half of what is left is kept.
const HALF: Duration = Duration::from_secs(60);

/// The stack of every hop. An attempt needs more time than the margin leaves, so no hop asks again in it.
fn stack(
    total: Duration,
    header: TimeoutHeader,
    to: SocketAddr,
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
        .layer(DeadlineHeaderLayer::new(header).margin(HALF))
        .map_request(move |mut request: Request<ReplayBody<Body>>| {
            *request.uri_mut() = Uri::try_from(format!("http://{to}/")).unwrap();
            request.headers_mut().remove(HOST);
            request
        })
        .service(hyper())
}

/// Its own limit is far off: what it keeps to is what it is told.
async fn gateway(name: &'static str, header: TimeoutHeader, to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let service = ServiceBuilder::new().layer(ErrorResponseLayer::new(name)).service(stack(
        TOTAL * 100,
        header,
        to,
    ));
    let service = service.map_response(|response: Response<_>| response.map(Body::new));
    // Ends with the test's runtime.
    tokio::spawn(async { serve(listener, Router::new().fallback_service(service)).await });
    at
}

/// What the header of the first request says that arrived at the origin.
fn told(origin: &Origin, header: TimeoutHeader) -> Duration {
    let head = origin.received()[0].head.to_lowercase();
    let prefix = format!("{}: ", header.as_str());
    let value = head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap();
    let value = value.trim().replace('s', "S");
    header.parse(value.as_bytes()).unwrap()
}

#[tokio::test]
async fn the_innermost_gives_up_first_and_the_others_pass_its_verdict_on() {
    for header in [Grpc, EnvoyExpected] {
        let origin = origin(Script::Silent).await;
        let inner = gateway("inner", header, origin.addr()).await;
        let outer = gateway("outer", header, inner).await;
        let client = stack(TOTAL, header, outer);
        let response = client.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), 504);
        // A word of the outer one would stand here too, and the client's own would be no response at all.
        let reports: Vec<_> = response.headers().get_all("proxy-status").iter().collect();
        assert_eq!(reports, ["inner;error=http_response_timeout"]);
        // One request, and nobody asked again: the outer gateway saw that there was no time.
        assert_eq!(origin.requests(), 1);
        let told = told(&origin, header);
        assert!(told <= TOTAL / 8, "{told:?}");
        let attempts = response.extensions().get::<RetryReport>().unwrap();
        assert_eq!(attempts.stop_reason(), Some(StopReason::DeadlineTooNear));
        let problem: serde_json::Value =
            serde_json::from_slice(&read(response).await.unwrap_or_else(|_| panic!("read")))
                .unwrap();
        assert_eq!(problem["cause"], Cause::HttpResponseTimeout.as_str());
    }
}
