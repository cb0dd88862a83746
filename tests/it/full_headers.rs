//! Header maps of peers at the maximum of the `http` crate, where `HeaderMap::insert` panics.

use std::{convert::Infallible, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use seawall::{
    BoxError, Deadline,
    deadline::{DeadlineHeaderLayer, TimeoutHeader},
    error_response::ErrorResponseLayer,
    retry::{Backoff, Budget, RetryLayer},
    standard::StandardLayer,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::get;
#[cfg(feature = "metrics")]
use std::collections::BTreeMap;

type Body = http_body_util::Full<bytes::Bytes>;

/// Returns a map to which no name can be added.
fn full_map() -> HeaderMap {
    let mut map = HeaderMap::new();
    for number in 0_u32.. {
        let name = HeaderName::try_from(format!("x{number}")).unwrap();
        if map.try_insert(name, HeaderValue::from(number)).is_err() {
            break;
        }
    }
    assert_eq!(map.len(), 24_576);
    map
}

/// Returns a full map that contains a header.
fn full_map_with(name: &'static str) -> HeaderMap {
    let mut map = full_map();
    map.remove("x0");
    map.insert(name, HeaderValue::from_static("old"));
    map
}

/// Returns a map with room for one name.
fn almost_full_map() -> HeaderMap {
    let mut map = full_map();
    map.remove("x0");
    map
}

fn get_with(headers: HeaderMap) -> Request<Body> {
    let mut request = get();
    *request.headers_mut() = headers;
    request
}

#[tokio::test(start_paused = true)]
async fn deadline_header_is_dropped_when_request_has_too_many() {
    const NAME: &str = "x-envoy-expected-rq-timeout-ms";
    for (headers, expected) in [
        (almost_full_map(), Some("5000")),
        (full_map(), None),
        // The caller's timeout is not that of this call.
        (full_map_with(NAME), None),
    ] {
        let layer = DeadlineHeaderLayer::new(TimeoutHeader::EnvoyExpected).margin(Duration::ZERO);
        let service = layer.layer(service_fn(async |request: Request<Body>| {
            Ok::<_, Infallible>(request.headers().get(NAME).cloned())
        }));
        let mut request = get_with(headers);
        request.extensions_mut().insert(Deadline::within(Duration::from_secs(5)));
        let sent = service.oneshot(request).await.unwrap();
        assert_eq!(sent.as_ref().map(|value| value.to_str().unwrap()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_header_is_dropped_when_request_has_too_many() {
    for (headers, expected) in [
        (almost_full_map(), ["none", "2"]),
        (full_map(), ["none", "none"]),
        (full_map_with("x-attempt"), ["old", "none"]),
    ] {
        let sent = std::sync::Mutex::new(Vec::new());
        let layer = RetryLayer::new()
            .max_retries(1)
            .backoff(Backoff::none())
            .budget(Budget::none())
            .attempt_header(HeaderName::from_static("x-attempt"));
        let service = layer.layer(service_fn(async |request: Request<_>| {
            let _: &seawall::retry::ReplayBody<Body> = request.body();
            let header = request.headers().get("x-attempt");
            let header = header.map_or("none", |value| value.to_str().unwrap());
            sent.lock().unwrap().push(header.to_owned());
            let mut response = Response::new(Body::default());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            Ok::<_, BoxError>(response)
        }));
        service.oneshot(get_with(headers)).await.unwrap();
        assert_eq!(sent.into_inner().unwrap(), expected);
    }
}

/// Sends a request through a gateway's stack. The upstream responds with 502 and these headers.
async fn respond(headers: HeaderMap) -> HeaderMap {
    let layer = StandardLayer::gateway("edge")
        .retry(RetryLayer::new().backoff(Backoff::none()))
        .error_response(ErrorResponseLayer::new("edge").append_proxy_status(true))
        .deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc));
    let service = layer.layer(service_fn(move |request: Request<_>| {
        let _: &seawall::retry::ReplayBody<Body> = request.body();
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response.headers_mut().clone_from(&headers);
        std::future::ready(Ok::<_, BoxError>(response))
    }));
    let response = service.oneshot(get_with(full_map())).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    response.headers().clone()
}

#[tokio::test(start_paused = true)]
async fn error_response_drops_headers_when_response_has_too_many() {
    let headers = respond(full_map()).await;
    assert!(!headers.contains_key("proxy-status") && !headers.contains_key("x-should-retry"));
    assert_eq!(headers.len(), 24_576);
    let headers = respond(full_map_with("proxy-status")).await;
    assert_eq!(headers["proxy-status"], "old");
    let headers = respond(full_map_with("x-should-retry")).await;
    assert_eq!(headers.get("x-should-retry"), None);
    let headers = respond(almost_full_map()).await;
    assert_eq!(headers["proxy-status"], "edge;received-status=502");
    let headers = respond(HeaderMap::new()).await;
    assert_eq!(headers["x-should-retry"], "false");
}

#[cfg(feature = "tonic-0_14")]
#[tokio::test(start_paused = true)]
async fn tonic_client_drops_attempt_header_when_request_has_too_many() {
    let layer = RetryLayer::new().backoff(Backoff::none()).budget(Budget::none()).max_retries(1);
    let inner = service_fn(async |request: Request<tonic::body::Body>| {
        assert!(!request.headers().contains_key("grpc-previous-rpc-attempts"));
        Err::<Response<Body>, _>(BoxError::from(std::io::Error::from(
            std::io::ErrorKind::ConnectionRefused,
        )))
    });
    let service = layer.layer(seawall::tonic::Client::new(inner));
    service.oneshot(get_with(full_map())).await.unwrap_err();
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_count_dropped_headers_by_name() {
    let metrics = crate::metrics::recorded(async || {
        respond(full_map()).await;
    });
    let dropped = metrics.iter().filter(|(name, _)| name.starts_with("seawall_dropped"));
    let dropped: BTreeMap<_, _> = dropped.map(|(name, value)| (&**name, &**value)).collect();
    let expected = [
        ("seawall_dropped_headers_total header=grpc-timeout", "4"),
        ("seawall_dropped_headers_total header=proxy-status", "1"),
        ("seawall_dropped_headers_total header=x-should-retry", "1"),
    ];
    assert_eq!(dropped, BTreeMap::from(expected));
}
