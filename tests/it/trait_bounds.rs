//! Trait bounds of public types, and compositions that must compile.

use std::{convert::Infallible, io, time::Duration};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{
    BoxError,
    bad_gateway::BadGatewayClassifierLayer,
    body_timeout::BodyTimeoutLayer,
    circuit_breaker::CircuitBreakerLayer,
    classify::{GrpcClassifier, HttpClassifier, classify_fn},
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    error_response::ErrorResponseLayer,
    in_flight::InFlightLimitLayer,
    keys::by_authority,
    logging::LoggingLayer,
    retry::{CallAdapter, HttpCallAdapter, ReplayBody, RetryLayer},
    timeout::TimeoutLayer,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, layer::util::Stack, service_fn};

type Body = Full<Bytes>;

const LIMIT: Duration = Duration::from_secs(10);

assert_impl_all!(RetryLayer: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(TimeoutLayer: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(
    TimeoutLayer<seawall::timeout::PauseWhileBodyPending<seawall::timeout::FixedTimeout>>:
        Clone, Send, Sync, std::fmt::Debug
);
assert_impl_all!(
    seawall::hyper_util::PoisonOnTimeout<()>: Clone, Send, Sync, Unpin, std::fmt::Debug
);
assert_impl_all!(seawall::hyper_util::PoisonFuture<()>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(BodyTimeoutLayer: Clone, Send, Sync, std::fmt::Debug, Default);
assert_not_impl_any!(BodyTimeoutLayer: Copy);
assert_impl_all!(BodyTimeoutLayer<seawall::body_timeout::RequestDirection>: Clone, Send, Sync);
assert_impl_all!(seawall::TimeoutBody<Body>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(DeadlineLayer: Clone, Send, Sync, std::fmt::Debug);
assert_not_impl_any!(DeadlineLayer: Copy);
assert_impl_all!(DeadlineHeaderLayer: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(CircuitBreakerLayer: Clone, Send, Sync, std::fmt::Debug, Default);
assert_impl_all!(InFlightLimitLayer: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(BadGatewayClassifierLayer: Clone, Send, Sync, std::fmt::Debug, Default);
assert_not_impl_any!(BadGatewayClassifierLayer: Copy);
assert_impl_all!(seawall::circuit_breaker::Circuit: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(seawall::circuit_breaker::Circuits: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(seawall::circuit_breaker::CircuitOpen: Clone, Send, Sync, std::error::Error);
assert_impl_all!(seawall::in_flight::LimitReached: Clone, Send, Sync, std::error::Error);
assert_not_impl_any!(CircuitBreakerLayer: Copy);
assert_impl_all!(LoggingLayer: Clone, Send, Sync, std::fmt::Debug);
assert_not_impl_any!(LoggingLayer: Copy);
assert_impl_all!(seawall::logging::Logging<()>: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(seawall::logging::ResponseBody<Body>: Send, Sync, Unpin, std::fmt::Debug);
assert_impl_all!(seawall::RequestAttributes: Clone, Default, Send, Sync, std::fmt::Debug);
assert_impl_all!(seawall::ReceivedTarget: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(seawall::tonic::StatusLayer: Copy, Send, Sync, std::fmt::Debug, Default);
assert_impl_all!(seawall::tonic::StatusService<()>: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(ErrorResponseLayer: Clone, Send, Sync, std::fmt::Debug);
#[cfg(feature = "metrics")]
assert_impl_all!(seawall::request_duration::RequestDurationLayer: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(HttpClassifier: Clone, Send, Sync, std::fmt::Debug, Default);
assert_impl_all!(GrpcClassifier: Clone, Send, Sync, std::fmt::Debug, Default);
assert_impl_all!(seawall::Failure: Copy, Send, Sync, std::error::Error);
assert_impl_all!(seawall::retry::RetriesExhausted: Send, Sync, std::error::Error);
assert_impl_all!(seawall::Elapsed: Send, Sync, std::error::Error);
assert_impl_all!(ReplayBody<Body>: Send, Sync, Unpin);
// With `Default`, a layer that follows redirects would compile inside retry and could repeat a
// POST.
assert_not_impl_any!(ReplayBody<String>: Default);
assert_not_impl_any!(RetryLayer: Copy);

/// A stack type that can be named and constructed without a turbofish.
type ClientStack<C = HttpClassifier, P = HttpCallAdapter> =
    Stack<TimeoutLayer, Stack<RetryLayer<C, P>, LoggingLayer<C>>>;

fn client_stack<C: Clone>(classifier: C) -> ClientStack<C> {
    Stack::new(
        TimeoutLayer::new(LIMIT),
        Stack::new(
            RetryLayer::new().classifier(classifier.clone()),
            LoggingLayer::client().classifier(classifier),
        ),
    )
}

fn hyper_client() -> Client<hyper_util::client::legacy::connect::HttpConnector, ReplayBody<Body>> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn assert_client<B>(_: impl Service<Request<B>, Error = BoxError> + Clone + Send + Sync + 'static) {
}

#[test]
fn axum_router_accepts_layers_without_handle_error() {
    let _: Router = Router::new().route("/", get(async || "hi")).layer(
        ServiceBuilder::new()
            .layer(LoggingLayer::server())
            .layer(ErrorResponseLayer::new("edge"))
            .layer(RetryLayer::new())
            .layer(TimeoutLayer::new(LIMIT)),
    );
    let _: Router = Router::new().route("/", get(async || "hi").layer(LoggingLayer::server()));
    let _: Router =
        Router::new().route("/", get(async || "hi")).layer(BadGatewayClassifierLayer::new());
    let _: Router =
        Router::new().route("/", get(async || "hi")).route_layer(ErrorResponseLayer::new("edge"));
}

#[tokio::test]
async fn hyper_util_client_accepts_replay_body() {
    let client = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(RetryLayer::new())
        .layer(TimeoutLayer::new(LIMIT))
        .service(hyper_client());
    assert_client::<Body>(client);
    assert_client::<Body>(client_stack(HttpClassifier::new()).layer(hyper_client()));
}

#[tokio::test]
async fn full_stack_wraps_hyper_util_client_and_router() {
    let client = ServiceBuilder::new()
        .layer(LoggingLayer::client())
        .layer(DeadlineLayer::new(LIMIT * 3).include_body(true).trust_header(TimeoutHeader::Grpc))
        .layer(RetryLayer::new())
        .layer(CircuitBreakerLayer::new().per_key(by_authority).until_body_end())
        .layer(InFlightLimitLayer::new(std::num::NonZeroU32::MIN).per_key(by_authority))
        .layer(TimeoutLayer::from_fn(|_: &Request<_>| Some(LIMIT)))
        .layer(BodyTimeoutLayer::new())
        .layer(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
        .layer(BadGatewayClassifierLayer::new())
        .service(hyper_client());
    assert_client::<Body>(client);
    let _: Router = Router::new().route("/", get(async || "hi")).layer(
        ServiceBuilder::new()
            .layer(LoggingLayer::server())
            .layer(ErrorResponseLayer::new("edge"))
            .layer(BodyTimeoutLayer::for_requests())
            .layer(DeadlineLayer::new(LIMIT))
            .map_request(|request: Request<seawall::TimeoutBody<_>>| {
                request.map(axum::body::Body::new)
            })
            .layer(BodyTimeoutLayer::new())
            .layer(CircuitBreakerLayer::new())
            .layer(InFlightLimitLayer::new(std::num::NonZeroU32::MIN)),
    );
}

#[tokio::test]
async fn reqwest_client_accepts_layers() {
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(LIMIT))
        .layer(RetryLayer::new())
        .layer(TimeoutLayer::new(LIMIT))
        .layer(BodyTimeoutLayer::new())
        .layer(DeadlineHeaderLayer::new(TimeoutHeader::EnvoyExpected))
        .service(seawall::reqwest::Client::new(reqwest::Client::new()));
    assert_client::<Body>(client);
}

#[tokio::test]
async fn tonic_channel_accepts_layers_with_map_body() {
    let channel = tonic::transport::Channel::from_static("http://127.0.0.1:1").connect_lazy();
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(LIMIT))
        .layer(RetryLayer::new().classifier(GrpcClassifier::new()).map_body(tonic::body::Body::new))
        .layer(TimeoutLayer::new(LIMIT))
        .layer(BodyTimeoutLayer::new())
        .layer(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
        .service(channel);
    assert_client::<tonic::body::Body>(client.clone());
    let mut client = tonic::client::Grpc::new(client);
    // Generated clients await readiness first.
    assert!(client.ready().await.is_ok());
}

#[tokio::test]
async fn string_service_accepts_retry_and_timeout() {
    let classifier = classify_fn(|outcome: Result<&String, &(dyn std::error::Error + 'static)>| {
        outcome.err().map(seawall::classify::classify_error)
    });
    let echo = service_fn(async |text: String| Ok::<_, io::Error>(text));
    let layer = RetryLayer::new().clone_requests().classifier(classifier);
    let service = layer.clone().layer(echo);
    assert_eq!(service.oneshot("hi".into()).await.unwrap(), "hi");

    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(TimeoutLayer::new(LIMIT))
        .service(service_fn(async |text: String| Ok::<_, io::Error>(text)));
    assert_eq!(service.oneshot("hi".into()).await.unwrap(), "hi");
}

#[tokio::test]
async fn service_fn_closure_accepts_retry() {
    let service = ServiceBuilder::new().layer(RetryLayer::new()).service_fn(
        async |_: Request<ReplayBody<Body>>| Ok::<_, Infallible>(Response::new(Body::default())),
    );
    assert!(service.oneshot(Request::new(Body::default())).await.is_ok());
}

#[test]
fn call_adapters_can_be_named_in_bounds() {
    fn check<P: CallAdapter<Req, Res>, Req, Res>() {}
    check::<HttpCallAdapter, Request<Body>, Response<Body>>();
    check::<seawall::retry::ClonedCallAdapter, String, String>();
}
