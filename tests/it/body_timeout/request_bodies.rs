//! Timeouts of request bodies, and the response to a caller that exceeds them.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError, Cause, Processed, TimeoutBody, TimeoutKind, body_timeout::BodyTimeoutLayer,
    circuit_breaker::CircuitBreakerLayer, error_response::ErrorResponseLayer, retry::RetryLayer,
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::{IDLE, TOTAL, limit_and_kind};
use crate::support::{ScriptedBody, Step};

#[tokio::test(start_paused = true)]
async fn server_returns_408_when_request_body_stalls() {
    for (layer, kind, limit) in [
        (BodyTimeoutLayer::for_requests().idle(IDLE), TimeoutKind::RequestIdle, IDLE),
        (BodyTimeoutLayer::for_requests().total(TOTAL), TimeoutKind::RequestTotal, TOTAL),
    ] {
        let server = ServiceBuilder::new()
            .layer(ErrorResponseLayer::new("edge"))
            .layer(layer)
            .service_fn(move |request: Request<TimeoutBody<ScriptedBody>>| async move {
                let error = request.into_body().collect().await.unwrap_err();
                assert_eq!(limit_and_kind(&error), (limit, kind));
                Err::<Response<Full<Bytes>>, _>(error)
            });
        let body = ScriptedBody::new([Step::Data("x".into()), Step::Stall]);
        let response = server.oneshot(Request::new(body)).await.unwrap();
        assert_eq!(response.status(), 408);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["cause"], "request_timeout");
    }
}

#[tokio::test(start_paused = true)]
async fn request_within_limits_passes_unchanged() {
    let layer = BodyTimeoutLayer::for_requests();
    let server = layer.layer(service_fn(async |request: Request<TimeoutBody<ScriptedBody>>| {
        assert_eq!(request.body().size_hint().exact(), Some(3));
        Ok::<_, BoxError>(Response::new(request.into_body().collect().await?.to_bytes()))
    }));
    let body = ScriptedBody::sized([Step::Data("on".into()), Step::Pause, Step::Data("e".into())]);
    assert_eq!(server.oneshot(Request::new(body)).await.unwrap().into_body(), "one");
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_stalled_response_but_not_stalled_request() {
    let breaker = CircuitBreakerLayer::new().until_body_end();
    let stalling_upstream = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(ScriptedBody::new([Step::Data("x".into()), Step::Stall])))
    });
    let client = ServiceBuilder::new()
        .layer(breaker.clone())
        .layer(BodyTimeoutLayer::new().idle(IDLE))
        .service(stalling_upstream);
    let response = client.oneshot(Request::default()).await.unwrap();
    response.into_body().collect().await.unwrap_err();
    let counts = breaker.handle().snapshot();
    assert_eq!((counts.calls(), counts.failures()), (1, 1));

    let server = ServiceBuilder::new()
        .layer(BodyTimeoutLayer::for_requests().idle(IDLE))
        .layer(breaker.clone())
        .service_fn(async |request: Request<TimeoutBody<ScriptedBody>>| {
            let body = request.into_body().collect().await?;
            Ok::<_, BoxError>(Response::new(Full::new(body.to_bytes())))
        });
    server.oneshot(Request::new(ScriptedBody::new([Step::Stall]))).await.unwrap_err();
    let counts = breaker.handle().snapshot();
    assert_eq!((counts.calls(), counts.failures()), (1, 1));
}

/// Uses real sockets and therefore real time.
#[cfg(feature = "hyper-util")]
#[tokio::test]
async fn forwarding_stack_returns_408_with_and_without_retry() {
    use crate::support::sockets::{channel, hyper_client, origin, request, url};

    let origin = origin(scripted_origin::Script::Healthy).await;
    let edge_layers = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(BodyTimeoutLayer::for_requests().idle(IDLE));
    // A PUT can be retried, but not while its caller stalls.
    for (method, has_retry_layer) in [("POST", false), ("PUT", true)] {
        let (sender, body) = channel();
        sender.send("x".into()).unwrap();
        let request = request(method, &url(&origin), body);
        let response = if has_retry_layer {
            let gateway = edge_layers.clone().layer(RetryLayer::new()).service(hyper_client());
            gateway.oneshot(request).await.unwrap().map(drop)
        } else {
            edge_layers.clone().service(hyper_client()).oneshot(request).await.unwrap().map(drop)
        };
        assert_eq!(response.status(), 408, "{method}");
        let failure = response.extensions().get::<seawall::Failure>().unwrap();
        // Part of the request was sent.
        assert_eq!(
            (failure.cause(), failure.processed()),
            (Cause::RequestTimeout, Processed::Maybe)
        );
    }
    assert_eq!(origin.requests(), 2);
}

/// Uses real sockets and therefore real time.
#[cfg(feature = "hyper-util")]
#[tokio::test]
async fn gateway_returns_408_when_caller_stalls() {
    use axum::{Router, body, serve};
    use seawall::{retry::ReplayBody, timeout::TimeoutLayer};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use crate::support::sockets::{UNREACHED_LIMIT, hyper_client, origin, url};

    let origin = origin(scripted_origin::Script::Healthy).await;
    let upstream: http::Uri = url(&origin).parse().unwrap();
    let gateway = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(BodyTimeoutLayer::for_requests().idle(IDLE))
        .layer(RetryLayer::new())
        .layer(TimeoutLayer::new(UNREACHED_LIMIT))
        .map_request(move |mut request: Request<ReplayBody<TimeoutBody<body::Body>>>| {
            request.uri_mut().clone_from(&upstream);
            request
        })
        .service(hyper_client());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // The task ends with the runtime of the test.
    tokio::spawn(async { serve(listener, Router::new().fallback_service(gateway)).await });

    let mut caller = TcpStream::connect(address).await.unwrap();
    caller.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx").await.unwrap();
    let mut response = String::new();
    // The server closes the connection, because it did not read the rest of the request.
    caller.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{response}");
    assert!(response.contains("\"cause\":\"request_timeout\""), "{response}");
}
